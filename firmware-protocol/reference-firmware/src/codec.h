/*
 * Messages ⇄ payloads [opcode, request id, fields in order], by the
 * generated tables (protocol.md, "Payloads").
 */
#ifndef CODEC_H
#define CODEC_H

#include "config.h"
#include "msgpack.h"

typedef enum { FIELD_INTEGER, FIELD_BYTES, FIELD_TEXT } field_type;

typedef struct {
  field_type type;
  /* Bounds of the value, or of its number of bytes. */
  int64_t smallest;
  int64_t largest;
  /* Whether an earlier version leaves the field out, and its value then (protocol.md, "Versions"). */
  uint8_t may_be_absent;
  int64_t absent;
} message_field;

enum { ROW_COMMAND = 1, ROW_TO_DEVICE = 2, ROW_TO_HOST = 4, ROW_ONCE = 8, ROW_AGAIN = 16 };

typedef struct {
  uint8_t opcode;
  uint8_t channel;
  uint8_t kind;
  /* The fields of the message to the device, and of the one to the host. */
  const message_field *request;
  uint8_t request_count;
  const message_field *answer;
  uint8_t answer_count;
} message_row;

typedef struct {
  int64_t integer;
  const uint8_t *bytes;
  uint32_t length;
} message_value;

typedef enum { TO_DEVICE, TO_HOST } message_direction;

typedef enum {
  CODEC_OK,
  CODEC_MALFORMED,
  CODEC_NOT_AN_ARRAY,
  CODEC_NO_OPCODE,
  CODEC_NO_REQUEST_ID,
  CODEC_UNKNOWN_OPCODE,
  CODEC_BAD_FIELD
} codec_result;

typedef struct {
  const message_row *row;
  /* The next two fields are −1 if they could not be read. */
  int opcode;
  int64_t request_id;
  /* The reason why the payload was malformed, and the bad field. */
  msgpack_result malformed;
  int bad_field;
  message_value values[TL_FIELDS_MAX];
} message;

/* The row of an opcode in this direction, or NULL. */
const message_row *codec_row(int opcode, message_direction direction);

codec_result codec_decode(const uint8_t *payload, size_t length, message_direction direction, message *out);

/*
 * Returns the length of the payload. It is 0 after a bug: a value out of its range, or a payload
 * that does not fit.
 */
size_t codec_encode(int opcode, message_direction direction, uint32_t request_id, const message_value *values,
                    uint8_t *out, size_t capacity);

static inline message_value value_integer(int64_t integer) {
  message_value value = {integer, NULL, 0};
  return value;
}

static inline message_value value_bytes(const uint8_t *bytes, size_t length) {
  message_value value = {0, bytes, (uint32_t)length};
  return value;
}

#endif
