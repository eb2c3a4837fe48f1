#include "fuzz_mutate.h"

#include <string.h>

#include "../src/program.h"

#define PAYLOAD_ROOM (CONFIG_FRAME_BYTES - TL_FRAME_OVERHEAD_BYTES)
#define INVENTED_BYTES_MAX 200

static uint8_t payload[CONFIG_FRAME_BYTES];
static uint8_t raw[CONFIG_FRAME_BYTES];
/* The content of bin fields in a message that is encoded again. */
static uint8_t content[CONFIG_FRAME_BYTES];
static frame_decoder decoder;

size_t fuzz_damage(fuzz_random *random, uint8_t *bytes, size_t length) {
  for (uint32_t left = 1 + fuzz_below(random, 3); left > 0 && length > 0; left--) {
    size_t at = fuzz_below(random, (uint32_t)length);
    size_t some = 1 + fuzz_below(random, (uint32_t)(length - at));
    switch (fuzz_below(random, 7)) {
      case 0:
      case 1:
        bytes[at] ^= (uint8_t)(1u << fuzz_below(random, 8));
        break;
      case 2:
        bytes[at] = (uint8_t)fuzz_next(random);
        break;
      case 3:
        bytes[at] = 0;
        break;
      case 4:
        length = at;
        break;
      case 5:
        memmove(bytes + at, bytes + at + some, length - at - some);
        length -= some;
        break;
      default:
        if (length + some > FUZZ_CHUNK_BYTES) break;
        memmove(bytes + at + some, bytes + at, length - at);
        length += some;
    }
  }
  return length;
}

static int64_t any_integer(fuzz_random *random, const message_field *field, uint32_t wrong_percent) {
  static const int64_t edges[] = {0, 1, -1, 127, 128, 255, 256, 65535, 65536, INT64_C(4294967295), INT64_C(4294967296),
                                  INT64_C(9007199254740991), -32, -33, INT64_C(-2147483648)};
  uint64_t span = (uint64_t)(field->largest - field->smallest);
  if (fuzz_chance(random, wrong_percent)) {
    uint32_t which = fuzz_below(random, 4);
    if (which == 0) return field->largest < INT64_C(9007199254740991) ? field->largest + 1 : -1;
    if (which == 1) return field->smallest > INT64_C(-2147483648) ? field->smallest - 1 : 0;
    return edges[fuzz_below(random, sizeof edges / sizeof edges[0])];
  }
  switch (fuzz_below(random, 4)) {
    case 0:
      return field->smallest;
    case 1:
      return field->largest;
    case 2:
      return field->smallest + (int64_t)(fuzz_next(random) % (span < 16 ? span + 1 : 17));
    default:
      return field->smallest + (int64_t)(fuzz_next(random) % (span + 1));
  }
}

static message_value any_value(fuzz_random *random, const message_field *field, uint32_t wrong_percent) {
  uint32_t longest = field->largest > INVENTED_BYTES_MAX ? INVENTED_BYTES_MAX : (uint32_t)field->largest;
  uint32_t length;
  if (field->type == FIELD_INTEGER) return value_integer(any_integer(random, field, wrong_percent));
  length = (uint32_t)field->smallest + fuzz_below(random, longest - (uint32_t)field->smallest + 1);
  if (fuzz_chance(random, wrong_percent)) length = fuzz_below(random, INVENTED_BYTES_MAX);
  for (uint32_t i = 0; i < length; i++) content[i] = (uint8_t)fuzz_next(random);
  return value_bytes(content, length);
}

/*
 * Encodes a message. Unlike codec_encode, it also encodes values out of their range. Returns 0 if there is no
 * room.
 */
static size_t write_message(const message_row *row, int64_t request_id, const message_value *values, int count) {
  msgpack_writer writer = {payload, PAYLOAD_ROOM, 0, 0};
  msgpack_put_array(&writer, (size_t)count + 2);
  msgpack_put_integer(&writer, row->opcode);
  msgpack_put_integer(&writer, request_id);
  for (int i = 0; i < count; i++)
    if (i >= row->request_count || row->request[i].type == FIELD_INTEGER) msgpack_put_integer(&writer, values[i].integer);
    else if (row->request[i].type == FIELD_TEXT) msgpack_put_text(&writer, values[i].bytes, values[i].length);
    else msgpack_put_bytes(&writer, values[i].bytes, values[i].length);
  return writer.overflow ? 0 : writer.length;
}

/* Sets numbers of a recorded session that become wrong when a part of it is changed. */
static void set_right(fuzz_random *random, const device *d, const message_row *row, message_value *values) {
  uint32_t first, second;
  if (row->opcode == TL_OP_CREDIT || row->opcode == TL_OP_RESEND || row->opcode == TL_OP_ABORT) values[0].integer = d->run_id;
  /* A host may give credit far ahead of the blocks that it has received. */
  if (row->opcode == TL_OP_CREDIT && fuzz_chance(random, 15)) {
    values[TL_CREDIT_BLOCKS].integer = 1000;
    values[TL_CREDIT_RELEASED].integer = fuzz_below(random, 1000);
  }
  if (row->opcode == TL_OP_STOP) values[TL_REQUEST_STOP_NONCE] = value_bytes(d->session.nonce, TL_NONCE_BYTES);
  if (row->opcode != TL_OP_COMMIT) return;
  int64_t bank = values[TL_REQUEST_COMMIT_BANK].integer;
  if (bank < 0 || bank >= TL_BANKS || !program_get((int)bank)->defined) return;
  program_digest((int)bank, &first, &second);
  values[TL_REQUEST_COMMIT_CRC32].integer = first;
  values[TL_REQUEST_COMMIT_CRC32C].integer = second;
}

/* Writes a header, which this device may accept or reject. */
static void set_header(fuzz_random *random, const device *d, frame *f, uint32_t wrong_percent) {
  f->session = d->link.session;
  f->flags = 0;
  f->seq = f->channel == TL_CHANNEL_COMMAND ? d->link.expected_seq : 0;
  if (fuzz_chance(random, 70)) f->ack = (uint16_t)(d->link.commands.first_seq + d->link.commands.in_flight - 1);
  if (!fuzz_chance(random, wrong_percent)) return;
  switch (fuzz_below(random, 6)) {
    case 0:
      f->session ^= (uint8_t)fuzz_next(random);
      break;
    case 1:
      f->seq = (uint16_t)(f->seq + fuzz_below(random, 7) - 3);
      break;
    case 2:
      f->ack = (uint16_t)fuzz_next(random);
      break;
    case 3:
      f->flags = (uint8_t)fuzz_below(random, 4);
      break;
    case 4:
      f->channel = (uint8_t)fuzz_below(random, 5);
      break;
    default:
      f->seq = (uint16_t)fuzz_next(random);
  }
}

static size_t read_frame(const uint8_t *bytes, size_t length, frame *f) {
  frame_result result;
  size_t taken, start = length > 0 && bytes[0] == 0 ? 1 : 0;
  frame_decoder_init(&decoder, CONFIG_FRAME_BYTES);
  taken = start + frame_decoder_push(&decoder, bytes + start, length - start, &result, f);
  return result == FRAME_GOOD ? taken : 0;
}

size_t fuzz_rewrite(fuzz_random *random, const device *d, uint8_t *bytes, size_t length, uint32_t wrong_percent) {
  frame f;
  message m;
  size_t taken = read_frame(bytes, length, &f), fresh = 0;
  if (taken == 0 || f.length == 0) return length;
  if (codec_decode(f.payload, f.length, TO_DEVICE, &m) == CODEC_OK) {
    int count = m.row->request_count;
    int64_t request_id = m.request_id;
    if (m.row->kind & ROW_ONCE && fuzz_chance(random, 80)) request_id = d->session.last_request_id + INT64_C(1);
    set_right(random, d, m.row, m.values);
    if (count > 0 && fuzz_chance(random, wrong_percent)) {
      int field = (int)fuzz_below(random, (uint32_t)count);
      m.values[field] = any_value(random, &m.row->request[field], wrong_percent);
    }
    if (fuzz_chance(random, wrong_percent / 4)) count = (int)fuzz_below(random, (uint32_t)count + 1);
    fresh = write_message(m.row, request_id, m.values, count);
  }
  if (fresh == 0) {
    memcpy(payload, f.payload, f.length);
    fresh = f.length;
  }
  if (fuzz_chance(random, wrong_percent / 2)) payload[fuzz_below(random, (uint32_t)fresh)] = (uint8_t)fuzz_next(random);
  if (fuzz_chance(random, wrong_percent / 8)) fresh = fuzz_below(random, (uint32_t)fresh + 1);
  if (f.channel != TL_CHANNEL_OPEN) set_header(random, d, &f, wrong_percent);
  f.payload = payload;
  f.length = fresh;
  if (length - taken > sizeof content) return frame_encode(&f, raw, bytes);
  /* Bytes after the frame in the same chunk stay after it. */
  memcpy(content, bytes + taken, length - taken);
  fresh = frame_encode(&f, raw, bytes);
  memcpy(bytes + fresh, content, length - taken);
  return fresh + length - taken;
}

size_t fuzz_invent(fuzz_random *random, const device *d, uint8_t *wire) {
  message_value values[TL_FIELDS_MAX];
  frame f = {TL_CHANNEL_COMMAND, 0, 0, 0, 0xffff, payload, 0};
  const message_row *row = codec_row((int)fuzz_below(random, 64), TO_DEVICE);
  uint32_t wrong_percent = fuzz_chance(random, 50) ? 0 : 15;
  if (row) {
    f.channel = row->channel;
    for (int i = 0; i < row->request_count; i++) values[i] = any_value(random, &row->request[i], wrong_percent);
    if (fuzz_chance(random, 90)) set_right(random, d, row, values);
    f.length = write_message(row, d->session.last_request_id + INT64_C(1), values, row->request_count);
  } else {
    /* These bytes begin like a message but are none. */
    f.length = fuzz_below(random, INVENTED_BYTES_MAX);
    for (size_t i = 0; i < f.length; i++) payload[i] = (uint8_t)fuzz_next(random);
    if (f.length > 2 && fuzz_chance(random, 70)) payload[0] = (uint8_t)(0x90 | fuzz_below(random, 16));
  }
  set_header(random, d, &f, wrong_percent);
  return frame_encode(&f, raw, wire);
}

static size_t good_frame(uint8_t channel, const device *d, uint8_t *wire, size_t length) {
  frame f = {channel, 0, 0, 0, 0xffff, payload, length};
  if (d) {
    f.session = d->link.session;
    f.seq = d->link.expected_seq;
  } else f.ack = 0;
  return frame_encode(&f, raw, wire);
}

size_t fuzz_hello(const uint8_t *nonce, uint32_t frame_bytes, uint8_t *wire) {
  static const uint8_t table_hash[8] = TL_TABLE_HASH;
  message_value values[TL_FIELDS_MAX];
  const message_row *row = codec_row(TL_OP_HELLO, TO_DEVICE);
  /* The field after the window is the purpose; 0 opens a session. */
  for (int i = 0; i < row->request_count; i++) values[i] = value_integer(0);
  values[TL_REQUEST_HELLO_NONCE] = value_bytes(nonce, TL_NONCE_BYTES);
  values[TL_REQUEST_HELLO_MAJOR] = value_integer(TL_PROTOCOL_MAJOR);
  values[TL_REQUEST_HELLO_MINOR] = value_integer(TL_PROTOCOL_MINOR);
  values[TL_REQUEST_HELLO_TABLE_HASH] = value_bytes(table_hash, sizeof table_hash);
  values[TL_REQUEST_HELLO_FRAME_BYTES] = value_integer(frame_bytes);
  values[TL_REQUEST_HELLO_WINDOW] = value_integer(4);
  return good_frame(TL_CHANNEL_OPEN, NULL, wire, write_message(row, 0, values, row->request_count));
}

size_t fuzz_ping(const device *d, uint32_t token, uint8_t *wire) {
  message_value values[1];
  size_t length;
  values[0] = value_integer(token);
  length = write_message(codec_row(TL_OP_PING, TO_DEVICE), d->session.last_request_id + INT64_C(1), values, 1);
  return good_frame(TL_CHANNEL_COMMAND, d, wire, length);
}
