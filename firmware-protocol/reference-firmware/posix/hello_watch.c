#include "hello_watch.h"

#include <string.h>

#include "../src/codec.h"

void hello_watch_init(hello_watch *watch) { memset(watch, 0, sizeof *watch); }

/* Looks at the bytes between two delimiters. */
static int is_hello(hello_watch *watch) {
  /* The decoder is static, because it is large: it has room for the longest frame. */
  static frame_decoder decoder;
  const uint8_t delimiter = 0;
  frame_result result;
  message m;
  frame f;
  frame_decoder_init(&decoder, TL_FRAME_BYTES_BEFORE_HELLO);
  frame_decoder_push(&decoder, watch->block, watch->length, &result, &f);
  frame_decoder_push(&decoder, &delimiter, 1, &result, &f);
  if (result != FRAME_GOOD || f.channel != TL_CHANNEL_OPEN) return 0;
  if (codec_decode(f.payload, f.length, TO_DEVICE, &m) != CODEC_OK || m.opcode != TL_OP_HELLO) return 0;
  memcpy(watch->nonce, m.values[TL_REQUEST_HELLO_NONCE].bytes, TL_NONCE_BYTES);
  watch->hello[0] = 0;
  memcpy(watch->hello + 1, watch->block, watch->length);
  watch->hello[watch->length + 1] = 0;
  watch->hello_length = watch->length + 2;
  return 1;
}

size_t hello_watch_push(hello_watch *watch, const uint8_t *bytes, size_t length, int *found) {
  *found = 0;
  for (size_t i = 0; i < length; i++) {
    if (bytes[i] != 0) {
      if (watch->length < sizeof watch->block) watch->block[watch->length++] = bytes[i];
      watch->seen++;
      continue;
    }
    *found = watch->seen > 0 && watch->seen == watch->length && is_hello(watch);
    watch->seen = 0;
    watch->length = 0;
    if (*found) return i + 1;
  }
  return length;
}

size_t hello_watch_busy(const hello_watch *watch, uint8_t *out) {
  static const uint8_t table_hash[8] = TL_TABLE_HASH;
  uint8_t payload[TL_FRAME_BYTES_BEFORE_HELLO], raw[TL_FRAME_BYTES_BEFORE_HELLO];
  frame f = {TL_CHANNEL_OPEN, 0, 0, 0, 0, payload, 0};
  message_value values[TL_FIELDS_MAX];
  values[TL_HELLO_REFUSED_NONCE] = value_bytes(watch->nonce, TL_NONCE_BYTES);
  values[TL_HELLO_REFUSED_REASON] = value_integer(TL_REASON_BUSY);
  values[TL_HELLO_REFUSED_MAJOR] = value_integer(TL_PROTOCOL_MAJOR);
  values[TL_HELLO_REFUSED_MINOR] = value_integer(TL_PROTOCOL_MINOR);
  values[TL_HELLO_REFUSED_TABLE_HASH] = value_bytes(table_hash, sizeof table_hash);
  f.length = codec_encode(TL_OP_HELLO_REFUSED, TO_HOST, 0, values, payload, sizeof payload - TL_FRAME_OVERHEAD_BYTES);
  out[0] = 0;
  return 1 + frame_encode(&f, raw, out + 1);
}
