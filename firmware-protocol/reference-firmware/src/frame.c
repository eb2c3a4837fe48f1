#include "frame.h"

#include <string.h>

#include "bytes.h"
#include "crc.h"

/*
 * COBS writes groups. A group is a byte with its length + 1, then its bytes, none of which is zero. It stands
 * for its bytes and one zero after them. The last group, and a group of 254 bytes, stand for their bytes
 * alone.
 */
#define GROUP_CODE_MAX 255

static size_t cobs_encode(const uint8_t *raw, size_t length, uint8_t *out) {
  size_t code_at = 0;
  size_t write = 1;
  uint8_t code = 1;
  for (size_t i = 0; i < length; i++) {
    if (raw[i] != 0) {
      out[write++] = raw[i];
      code++;
    }
    if (raw[i] == 0 || (code == GROUP_CODE_MAX && i + 1 < length)) {
      out[code_at] = code;
      code_at = write++;
      code = 1;
    }
  }
  out[code_at] = code;
  out[write++] = 0;
  return write;
}

/*
 * Decodes in place, because the writing position is never ahead of the reading position. Returns 0 for a
 * malformed block.
 */
static int cobs_decode(uint8_t *block, size_t length, size_t *decoded) {
  size_t write = 0;
  for (size_t at = 0; at < length;) {
    uint8_t code = block[at];
    size_t next = at + code;
    if (next > length) return 0;
    memmove(block + write, block + at + 1, (size_t)code - 1);
    write += (size_t)code - 1;
    at = next;
    if (code != GROUP_CODE_MAX && at < length) block[write++] = 0;
  }
  *decoded = write;
  return 1;
}

void frame_decoder_init(frame_decoder *decoder, size_t frame_bytes_max) {
  decoder->frame_bytes_max = frame_bytes_max;
  decoder->length = 0;
  decoder->seen = 0;
  decoder->fault_bytes = 0;
}

static frame_result finish(frame_decoder *decoder, frame *out) {
  uint8_t *raw = decoder->block;
  size_t length = decoder->length;
  size_t size;
  uint64_t seen = decoder->seen;
  decoder->length = 0;
  decoder->seen = 0;
  if (seen == 0) return FRAME_NONE;
  decoder->fault_bytes = seen;
  if (seen > length) return FRAME_OVERSIZE;
  if (!cobs_decode(raw, length, &size)) return FRAME_COBS;
  if (size < TL_FRAME_OVERHEAD_BYTES) return FRAME_SHORT;
  if (size > decoder->frame_bytes_max) return FRAME_OVERSIZE;
  size -= TL_FRAME_CRC_BYTES;
  if (get_le32(raw + size) != crc32(0, raw, size)) return FRAME_CRC;
  if (raw[0] != TL_FRAME_VERSION || raw[1] > TL_CHANNEL_STOP || (raw[3] & ~TL_FLAG_NAK) != 0) return FRAME_HEADER;
  out->channel = raw[1];
  out->session = raw[2];
  out->flags = raw[3];
  out->seq = get_le16(raw + 4);
  out->ack = get_le16(raw + 6);
  out->payload = raw + TL_FRAME_HEADER_BYTES;
  out->length = size - TL_FRAME_HEADER_BYTES;
  return FRAME_GOOD;
}

static const uint8_t *next_zero(const uint8_t *bytes, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (bytes[i] == 0) return bytes + i;
  return NULL;
}

size_t frame_decoder_push(frame_decoder *decoder, const uint8_t *bytes, size_t length, frame_result *result, frame *out) {
  const uint8_t *zero = next_zero(bytes, length);
  size_t count = zero ? (size_t)(zero - bytes) : length;
  size_t room = FRAME_WIRE_BYTES(decoder->frame_bytes_max) - decoder->length;
  size_t taken = count < room ? count : room;
  if (taken > 0) memcpy(decoder->block + decoder->length, bytes, taken);
  decoder->length += taken;
  decoder->seen += count;
  *result = zero ? finish(decoder, out) : FRAME_NONE;
  return zero ? count + 1 : count;
}

size_t frame_encode(const frame *source, uint8_t *raw, uint8_t *wire) {
  size_t end = TL_FRAME_HEADER_BYTES + source->length;
  raw[0] = TL_FRAME_VERSION;
  raw[1] = source->channel;
  raw[2] = source->session;
  raw[3] = source->flags;
  put_le16(raw + 4, source->seq);
  put_le16(raw + 6, source->ack);
  if (source->length > 0 && source->payload != raw + TL_FRAME_HEADER_BYTES)
    memcpy(raw + TL_FRAME_HEADER_BYTES, source->payload, source->length);
  put_le32(raw + end, crc32(0, raw, end));
  return cobs_encode(raw, end + TL_FRAME_CRC_BYTES, wire);
}
