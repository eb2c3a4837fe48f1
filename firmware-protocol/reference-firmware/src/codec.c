#include "codec.h"

#include "../generated/tables.h"

#define ROW_COUNT (sizeof message_rows / sizeof message_rows[0])
#define OPCODE_MAX 127

const message_row *codec_row(int opcode, message_direction direction) {
  uint8_t kinds = (uint8_t)(ROW_COMMAND | (direction == TO_DEVICE ? ROW_TO_DEVICE : ROW_TO_HOST));
  for (size_t i = 0; i < ROW_COUNT; i++)
    if (message_rows[i].opcode == opcode && (message_rows[i].kind & kinds) != 0) return &message_rows[i];
  return NULL;
}

static const message_field *fields_of(const message_row *row, message_direction direction, int *count) {
  *count = direction == TO_DEVICE ? row->request_count : row->answer_count;
  return direction == TO_DEVICE ? row->request : row->answer;
}

static int within(const message_field *field, int64_t value) {
  return value >= field->smallest && value <= field->largest;
}

static int take_value(const message_field *field, const msgpack_item *item, message_value *value) {
  static const msgpack_type wanted[] = {MSGPACK_INTEGER, MSGPACK_BYTES, MSGPACK_TEXT};
  if (item->type != wanted[field->type]) return 0;
  if (item->type == MSGPACK_INTEGER) *value = value_integer(item->integer);
  else *value = value_bytes(item->bytes, item->length);
  return within(field, item->type == MSGPACK_INTEGER ? value->integer : (int64_t)value->length);
}

codec_result codec_decode(const uint8_t *payload, size_t length, message_direction direction, message *out) {
  const message_field *fields;
  msgpack_item array, item;
  size_t at = 0;
  int count;
  out->row = NULL;
  out->opcode = -1;
  out->request_id = -1;
  out->bad_field = -1;
  out->malformed = msgpack_check(payload, length);
  if (out->malformed != MSGPACK_OK) return CODEC_MALFORMED;
  /* The payload is well-formed, so no read below can fail. */
  msgpack_read(payload, length, &at, 0, 1, &array);
  if (array.type != MSGPACK_ARRAY) return CODEC_NOT_AN_ARRAY;
  if (array.length < 1) return CODEC_NO_OPCODE;
  msgpack_read(payload, length, &at, 1, 0, &item);
  if (item.type != MSGPACK_INTEGER || item.integer < 0 || item.integer > OPCODE_MAX) return CODEC_NO_OPCODE;
  out->opcode = (int)item.integer;
  if (array.length < 2) return CODEC_NO_REQUEST_ID;
  msgpack_read(payload, length, &at, 1, 0, &item);
  if (item.type != MSGPACK_INTEGER || item.integer < 0 || item.integer > (int64_t)UINT32_MAX)
    return CODEC_NO_REQUEST_ID;
  out->request_id = item.integer;
  out->row = codec_row(out->opcode, direction);
  if (out->row == NULL) return CODEC_UNKNOWN_OPCODE;
  fields = fields_of(out->row, direction, &count);
  for (int i = 0; i < count; i++) {
    out->bad_field = i;
    if ((uint32_t)i + 2 >= array.length) {
      if (!fields[i].may_be_absent) return CODEC_BAD_FIELD;
      out->values[i] = value_integer(fields[i].absent);
      continue;
    }
    msgpack_read(payload, length, &at, 1, 0, &item);
    if (!take_value(&fields[i], &item, &out->values[i])) return CODEC_BAD_FIELD;
  }
  out->bad_field = -1;
  return CODEC_OK;
}

size_t codec_encode(int opcode, message_direction direction, uint32_t request_id, const message_value *values,
                    uint8_t *out, size_t capacity) {
  const message_row *row = codec_row(opcode, direction);
  msgpack_writer writer = {out, capacity, 0, 0};
  const message_field *fields;
  int count;
  if (row == NULL) return 0;
  fields = fields_of(row, direction, &count);
  msgpack_put_array(&writer, (size_t)count + 2);
  msgpack_put_integer(&writer, opcode);
  msgpack_put_integer(&writer, request_id);
  for (int i = 0; i < count; i++) {
    const message_value *value = &values[i];
    if (!within(&fields[i], fields[i].type == FIELD_INTEGER ? value->integer : (int64_t)value->length)) return 0;
    if (fields[i].type == FIELD_INTEGER) msgpack_put_integer(&writer, value->integer);
    else if (fields[i].type == FIELD_TEXT) msgpack_put_text(&writer, value->bytes, value->length);
    else msgpack_put_bytes(&writer, value->bytes, value->length);
  }
  return writer.overflow ? 0 : writer.length;
}
