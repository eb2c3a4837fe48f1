#include "msgpack.h"

#include <string.h>

#include "config.h"

#define TWO_TO_53_HIGH (UINT32_C(1) << 21)

static uint32_t big_endian(const uint8_t *p, int width) {
  uint32_t value = 0;
  for (int i = 0; i < width; i++) value = (value << 8) | p[i];
  return value;
}

/* Whether bytes are well-formed UTF-8: shortest forms, no surrogates, nothing beyond U+10FFFF. */
static int is_utf8(const uint8_t *p, size_t length) {
  const uint8_t *end = p + length;
  while (p < end) {
    uint8_t lead = *p++;
    if (lead < 0x80) continue;
    if (lead < 0xc2 || lead > 0xf4) return 0;
    int more = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    if (end - p < more) return 0;
    uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (p[0] < low || p[0] > high) return 0;
    for (int i = 1; i < more; i++)
      if ((p[i] & 0xc0) != 0x80) return 0;
    p += more;
  }
  return 1;
}

typedef struct {
  const uint8_t *bytes;
  size_t length;
  size_t at;
} cursor;

/*
 * Reads a number of `width` bytes after a type byte. A number below `least` has a shorter form and is
 * refused.
 */
static msgpack_result take_number(cursor *c, int width, uint32_t least, uint32_t *value) {
  if (c->length - c->at < (size_t)width) return MSGPACK_TRUNCATED;
  *value = big_endian(c->bytes + c->at, width);
  c->at += (size_t)width;
  return *value < least ? MSGPACK_SHORTEST_FORM : MSGPACK_OK;
}

static msgpack_result take_content(cursor *c, uint32_t length, uint32_t most, msgpack_type type, msgpack_item *item) {
  if (length > most) return MSGPACK_LENGTH;
  if (c->length - c->at < length) return MSGPACK_TRUNCATED;
  item->type = type;
  item->bytes = c->bytes + c->at;
  item->length = length;
  c->at += length;
  return type == MSGPACK_TEXT && !is_utf8(item->bytes, length) ? MSGPACK_NOT_UTF8 : MSGPACK_OK;
}

static msgpack_result take_sized(cursor *c, int width, uint32_t least, uint32_t most, msgpack_type type, msgpack_item *item) {
  uint32_t length;
  msgpack_result result = take_number(c, width, least, &length);
  return result == MSGPACK_OK ? take_content(c, length, most, type, item) : result;
}

static msgpack_result take_unsigned(cursor *c, int width, uint32_t least, msgpack_item *item) {
  uint32_t value = 0;
  msgpack_result result = take_number(c, width, least, &value);
  item->integer = value;
  return result;
}

static msgpack_result take_unsigned64(cursor *c, msgpack_item *item) {
  uint32_t high, low;
  if (c->length - c->at < 8) return MSGPACK_TRUNCATED;
  high = big_endian(c->bytes + c->at, 4);
  low = big_endian(c->bytes + c->at + 4, 4);
  c->at += 8;
  item->integer = (int64_t)(((uint64_t)(high & (TWO_TO_53_HIGH - 1)) << 32) | low);
  if (high == 0) return MSGPACK_SHORTEST_FORM;
  return high >= TWO_TO_53_HIGH ? MSGPACK_TOO_LARGE : MSGPACK_OK;
}

static msgpack_result take_negative(cursor *c, int width, int32_t below, msgpack_item *item) {
  uint32_t value;
  msgpack_result result = take_number(c, width, 0, &value);
  if (result != MSGPACK_OK) return result;
  int64_t span = (int64_t)1 << (8 * width);
  item->integer = value >= (uint64_t)span / 2 ? (int64_t)value - span : (int64_t)value;
  return item->integer < below ? MSGPACK_OK : MSGPACK_SHORTEST_FORM;
}

static msgpack_result take_array(cursor *c, uint32_t items, int depth, int heads_only, msgpack_item *item) {
  if (depth >= TL_ARRAY_DEPTH_MAX) return MSGPACK_DEPTH;
  if (items > TL_ARRAY_ITEMS_MAX) return MSGPACK_LENGTH;
  item->type = MSGPACK_ARRAY;
  item->length = items;
  if (heads_only) return MSGPACK_OK;
  for (uint32_t i = 0; i < items; i++) {
    msgpack_item inner;
    msgpack_result result = msgpack_read(c->bytes, c->length, &c->at, depth + 1, 0, &inner);
    if (result != MSGPACK_OK) return result;
  }
  return MSGPACK_OK;
}

static msgpack_result read_type(cursor *c, int depth, int heads_only, msgpack_item *item) {
  uint8_t type = c->bytes[c->at++];
  uint32_t count;
  msgpack_result result;
  item->type = MSGPACK_INTEGER;
  item->integer = type < 0x80 ? type : (int64_t)type - 256;
  if (type <= 0x7f || type >= 0xe0) return MSGPACK_OK;
  if ((type & 0xf0) == 0x90) return take_array(c, type & 15, depth, heads_only, item);
  if ((type & 0xe0) == 0xa0) return take_content(c, type & 31, TL_TEXT_BYTES_MAX, MSGPACK_TEXT, item);
  switch (type) {
    case 0xc4:
      return take_sized(c, 1, 0, TL_FRAME_BYTES_MAX, MSGPACK_BYTES, item);
    case 0xc5:
      return take_sized(c, 2, 256, TL_FRAME_BYTES_MAX, MSGPACK_BYTES, item);
    case 0xc6:
      return take_sized(c, 4, 65536, TL_FRAME_BYTES_MAX, MSGPACK_BYTES, item);
    case 0xcc:
      return take_unsigned(c, 1, 128, item);
    case 0xcd:
      return take_unsigned(c, 2, 256, item);
    case 0xce:
      return take_unsigned(c, 4, 65536, item);
    case 0xcf:
      return take_unsigned64(c, item);
    case 0xd0:
      return take_negative(c, 1, -32, item);
    case 0xd1:
      return take_negative(c, 2, -128, item);
    case 0xd2:
      return take_negative(c, 4, -32768, item);
    case 0xd9:
      return take_sized(c, 1, 32, TL_TEXT_BYTES_MAX, MSGPACK_TEXT, item);
    case 0xda:
      return take_sized(c, 2, 256, TL_TEXT_BYTES_MAX, MSGPACK_TEXT, item);
    case 0xdc:
      result = take_number(c, 2, 16, &count);
      return result == MSGPACK_OK ? take_array(c, count, depth, heads_only, item) : result;
    default:
      return MSGPACK_TYPE_BYTE;
  }
}

msgpack_result msgpack_read(const uint8_t *bytes, size_t length, size_t *at, int depth, int heads_only, msgpack_item *item) {
  cursor c = {bytes, length, *at};
  msgpack_result result;
  if (c.at >= length) return MSGPACK_TRUNCATED;
  result = read_type(&c, depth, heads_only, item);
  *at = c.at;
  return result;
}

msgpack_result msgpack_check(const uint8_t *bytes, size_t length) {
  size_t at = 0;
  msgpack_item item;
  msgpack_result result = msgpack_read(bytes, length, &at, 0, 0, &item);
  if (result != MSGPACK_OK) return result;
  return at == length ? MSGPACK_OK : MSGPACK_TRAILING;
}

static void put(msgpack_writer *writer, const uint8_t *bytes, size_t length) {
  if (writer->capacity - writer->length < length) {
    writer->overflow = 1;
    return;
  }
  if (length > 0) memcpy(writer->out + writer->length, bytes, length);
  writer->length += length;
}

/* Writes a type byte and `width` bytes of a number. */
static void put_head(msgpack_writer *writer, uint8_t type, uint64_t value, int width) {
  uint8_t head[9];
  head[0] = type;
  for (int i = 0; i < width; i++) head[1 + i] = (uint8_t)(value >> (8 * (width - 1 - i)));
  put(writer, head, (size_t)width + 1);
}

void msgpack_put_integer(msgpack_writer *writer, int64_t value) {
  uint64_t bits = (uint64_t)value;
  if (value >= -32 && value < 128) put_head(writer, (uint8_t)bits, 0, 0);
  else if (value < 0) {
    if (value >= -128) put_head(writer, 0xd0, bits, 1);
    else if (value >= -32768) put_head(writer, 0xd1, bits, 2);
    else put_head(writer, 0xd2, bits, 4);
  } else if (value < 256) put_head(writer, 0xcc, bits, 1);
  else if (value < 65536) put_head(writer, 0xcd, bits, 2);
  else if (value <= (int64_t)UINT32_MAX) put_head(writer, 0xce, bits, 4);
  else put_head(writer, 0xcf, bits, 8);
}

void msgpack_put_text(msgpack_writer *writer, const uint8_t *text, size_t length) {
  if (length < 32) put_head(writer, (uint8_t)(0xa0 | length), 0, 0);
  else if (length < 256) put_head(writer, 0xd9, length, 1);
  else put_head(writer, 0xda, length, 2);
  put(writer, text, length);
}

void msgpack_put_bytes(msgpack_writer *writer, const uint8_t *bytes, size_t length) {
  if (length < 256) put_head(writer, 0xc4, length, 1);
  else if (length < 65536) put_head(writer, 0xc5, length, 2);
  else put_head(writer, 0xc6, length, 4);
  put(writer, bytes, length);
}

void msgpack_put_array(msgpack_writer *writer, size_t items) {
  if (items < 16) put_head(writer, (uint8_t)(0x90 | items), 0, 0);
  else put_head(writer, 0xdc, items, 2);
}
