/* The subset of MessagePack that payloads use (protocol.md, "Payloads"). Reading allocates nothing. */
#ifndef MSGPACK_H
#define MSGPACK_H

#include <stddef.h>
#include <stdint.h>

typedef enum { MSGPACK_INTEGER, MSGPACK_TEXT, MSGPACK_BYTES, MSGPACK_ARRAY } msgpack_type;

typedef struct {
  msgpack_type type;
  int64_t integer;
  /* Text and bytes, in place. */
  const uint8_t *bytes;
  /* The length of text and bytes, or the number of items of an array. */
  uint32_t length;
} msgpack_item;

typedef enum {
  MSGPACK_OK,
  MSGPACK_TRUNCATED,
  MSGPACK_TYPE_BYTE,
  MSGPACK_SHORTEST_FORM,
  MSGPACK_TOO_LARGE,
  MSGPACK_LENGTH,
  MSGPACK_DEPTH,
  MSGPACK_NOT_UTF8,
  MSGPACK_TRAILING
} msgpack_result;

/*
 * Reads the value at *at, with all items of an array, and moves *at after it. `depth` is the number of arrays
 * around the value. With `heads_only` the items are not read, and *at stops at the first item.
 */
msgpack_result msgpack_read(const uint8_t *bytes, size_t length, size_t *at, int depth, int heads_only, msgpack_item *item);

/* Whether the bytes are exactly one value of the subset. */
msgpack_result msgpack_check(const uint8_t *bytes, size_t length);

/* Writing. A value that does not fit is dropped and sets `overflow`. */
typedef struct {
  uint8_t *out;
  size_t capacity;
  size_t length;
  int overflow;
} msgpack_writer;

void msgpack_put_integer(msgpack_writer *writer, int64_t value);
void msgpack_put_text(msgpack_writer *writer, const uint8_t *text, size_t length);
void msgpack_put_bytes(msgpack_writer *writer, const uint8_t *bytes, size_t length);
void msgpack_put_array(msgpack_writer *writer, size_t items);

#endif
