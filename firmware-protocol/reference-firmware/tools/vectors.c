/*
 * Runs frames, messages and program digests through the code of the firmware. Each line of input gives
 * a line of output:
 *
 *   encode CHANNEL SESSION FLAGS SEQ ACK PAYLOAD       → the bytes on the wire
 *   stream FRAME_BYTES_MAX CHUNK…                      → frame CHANNEL SESSION FLAGS SEQ ACK PAYLOAD;
 *                                                        fault KIND BYTES; …
 *   decode toDevice|toHost PAYLOAD                     → ok OPCODE REQUEST VALUE…
 *                                                        or bad REASON OPCODE REQUEST FIELD
 *   message toDevice|toHost OPCODE REQUEST VALUE…      → the payload
 *   value PAYLOAD                                      → the payload, read and written again
 *   digest BITS CELLS ROWS DAMPING AMPLITUDE SHIFT COUPLINGS DRIVE INITIAL  → CRC-32 CRC-32C
 *
 * Bytes are hexadecimal, "-" for none. Bytes and text as a VALUE begin with an x. −1 stands for a number that
 * could not be read.
 */
#include <string.h>

#include "../src/codec.h"
#include "../src/crc.h"
#include "../src/frame.h"
#include "../src/model.h"
#include "../src/program.h"
#include "line.h"

static uint8_t bytes[1 << 18];
static uint8_t out[1 << 18];
static uint8_t raw[CONFIG_FRAME_BYTES];

uint64_t board_time_us(void) { return 0; }

static message_direction direction(void) { return strcmp(line_need(), "toDevice") == 0 ? TO_DEVICE : TO_HOST; }

static void encode(void) {
  frame f;
  f.channel = (uint8_t)line_number();
  f.session = (uint8_t)line_number();
  f.flags = (uint8_t)line_number();
  f.seq = (uint16_t)line_number();
  f.ack = (uint16_t)line_number();
  f.payload = bytes;
  f.length = line_hex(line_need(), bytes, CONFIG_FRAME_BYTES - TL_FRAME_OVERHEAD_BYTES);
  print_hex(out, frame_encode(&f, raw, out));
}

static void print_item(const frame_decoder *decoder, frame_result result, const frame *f) {
  static const char *const kinds[] = {"", "", "cobs", "crc", "short", "oversize", "header"};
  if (result == FRAME_NONE) return;
  if (result != FRAME_GOOD) {
    printf("fault %s %llu;", kinds[result], (unsigned long long)decoder->fault_bytes);
    return;
  }
  printf("frame %d %d %d %d %d ", f->channel, f->session, f->flags, f->seq, f->ack);
  print_hex(f->payload, f->length);
  printf(";");
}

static void stream(void) {
  static frame_decoder decoder;
  const char *word;
  frame_decoder_init(&decoder, (size_t)line_number());
  while ((word = line_word()) != NULL) {
    size_t length = line_hex(word, bytes, sizeof bytes);
    for (size_t at = 0; at < length;) {
      frame_result result;
      frame f;
      at += frame_decoder_push(&decoder, bytes + at, length - at, &result, &f);
      print_item(&decoder, result, &f);
    }
  }
}

static const char *malformed_reason(msgpack_result result) {
  static const char *const reasons[] = {"",      "truncated", "type-byte", "shortest-form", "2^53",
                                        "length", "depth",     "UTF-8",     "trailing"};
  return reasons[result];
}

static void print_value(const message_field *field, const message_value *value) {
  if (field->type == FIELD_INTEGER) {
    printf(" %lld", (long long)value->integer);
  } else {
    printf(" x");
    print_hex(value->bytes, value->length);
  }
}

static void decode(void) {
  static const char *const reasons[] = {"", "", "not-an-array", "no-opcode", "no-request-id", "unknown-opcode", "field"};
  message_direction to = direction();
  message m;
  codec_result result = codec_decode(bytes, line_hex(line_need(), bytes, sizeof bytes), to, &m);
  if (result != CODEC_OK) {
    printf("bad %s %d %lld %d", result == CODEC_MALFORMED ? malformed_reason(m.malformed) : reasons[result], m.opcode,
           (long long)m.request_id, m.bad_field);
    return;
  }
  printf("ok %d %lld", m.opcode, (long long)m.request_id);
  const message_field *fields = to == TO_DEVICE ? m.row->request : m.row->answer;
  for (int i = 0; i < (to == TO_DEVICE ? m.row->request_count : m.row->answer_count); i++)
    print_value(&fields[i], &m.values[i]);
}

static void encode_message(void) {
  message_direction to = direction();
  int opcode = (int)line_number();
  uint32_t request_id = (uint32_t)line_number();
  message_value values[TL_FIELDS_MAX];
  const message_row *row = codec_row(opcode, to);
  const message_field *fields;
  size_t used = 0;
  int count;
  if (!row) line_fail("no such message");
  fields = to == TO_DEVICE ? row->request : row->answer;
  count = to == TO_DEVICE ? row->request_count : row->answer_count;
  for (int i = 0; i < count; i++) {
    if (fields[i].type == FIELD_INTEGER) {
      values[i] = value_integer(line_number());
    } else {
      size_t length = line_hex(line_need() + 1, bytes + used, sizeof bytes - used);
      values[i] = value_bytes(bytes + used, length);
      used += length;
    }
  }
  print_hex(out, codec_encode(opcode, to, request_id, values, out, sizeof out));
}

static void write_again(msgpack_writer *writer, size_t length, size_t *at, int depth) {
  msgpack_item item;
  msgpack_read(bytes, length, at, depth, 1, &item);
  if (item.type == MSGPACK_INTEGER) msgpack_put_integer(writer, item.integer);
  else if (item.type == MSGPACK_TEXT) msgpack_put_text(writer, item.bytes, item.length);
  else if (item.type == MSGPACK_BYTES) msgpack_put_bytes(writer, item.bytes, item.length);
  else {
    msgpack_put_array(writer, item.length);
    for (uint32_t i = 0; i < item.length; i++) write_again(writer, length, at, depth + 1);
  }
}

static void value(void) {
  size_t length = line_hex(line_need(), bytes, sizeof bytes);
  msgpack_result result = msgpack_check(bytes, length);
  msgpack_writer writer = {out, sizeof out, 0, 0};
  size_t at = 0;
  if (result != MSGPACK_OK) {
    printf("bad %s", malformed_reason(result));
    return;
  }
  write_again(&writer, length, &at, 0);
  print_hex(out, writer.length);
}

static void digest(void) {
  message_value shape[TL_FIELDS_MAX];
  uint32_t first, second, damping, amplitude;
  uint8_t shift;
  shape[TL_REQUEST_DEFINE_PROGRAM_BANK] = value_integer(0);
  shape[TL_REQUEST_DEFINE_PROGRAM_MODE] = value_integer(TL_MODE_FACTORED);
  shape[TL_REQUEST_DEFINE_PROGRAM_COUPLING_BITS] = value_integer(line_number());
  shape[TL_REQUEST_DEFINE_PROGRAM_CELLS] = value_integer(line_number());
  shape[TL_REQUEST_DEFINE_PROGRAM_ROWS] = value_integer(line_number());
  shape[TL_REQUEST_DEFINE_PROGRAM_ROW_ATTENUATION] = value_integer(0);
  shape[TL_REQUEST_DEFINE_PROGRAM_LINEAR_ROWS] = value_integer(line_number());
  if (program_define(shape).refused) line_fail("this shape is refused");
  damping = (uint32_t)line_number();
  amplitude = (uint32_t)line_number();
  shift = (uint8_t)line_number();
  program_set_registers(0, damping, amplitude, shift);
  int sections = program_get(0)->has_row_element ? TL_SECTION_ROW_DRIVE : TL_SECTION_INITIAL_STATE;
  for (int section = TL_SECTION_COUPLINGS; section <= sections; section++) {
    size_t length = line_hex(line_need(), bytes, sizeof bytes);
    if (program_write(0, section, 0, bytes, (uint32_t)length).refused) line_fail("these codes are refused");
  }
  program_digest(0, &first, &second);
  printf("%lu %lu", (unsigned long)first, (unsigned long)second);
}

int main(void) {
  crc_init();
  program_init();
  if (!model_init(model_profile("ideal-64"), 1)) return 1;
  while (line_next()) {
    const char *word = line_need();
    if (strcmp(word, "encode") == 0) encode();
    else if (strcmp(word, "stream") == 0) stream();
    else if (strcmp(word, "decode") == 0) decode();
    else if (strcmp(word, "message") == 0) encode_message();
    else if (strcmp(word, "value") == 0) value();
    else if (strcmp(word, "digest") == 0) digest();
    else line_fail("no such order");
    printf("\n");
  }
  return 0;
}
