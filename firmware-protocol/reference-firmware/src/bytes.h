/* Numbers in the byte order of the wire. */
#ifndef BYTES_H
#define BYTES_H

#include <stddef.h>
#include <stdint.h>

/*
 * This firmware needs a compiler where >> of a negative number is a floor and a conversion to int16_t wraps.
 */
typedef char bytes_assert_floor_shift[((-5) >> 1) == -3 ? 1 : -1];
typedef char bytes_assert_wrapping[(int16_t)65535 == -1 ? 1 : -1];

static inline uint16_t get_le16(const uint8_t *p) { return (uint16_t)(p[0] | (uint16_t)(p[1] << 8)); }

static inline uint32_t get_le32(const uint8_t *p) {
  return (uint32_t)p[0] | ((uint32_t)p[1] << 8) | ((uint32_t)p[2] << 16) | ((uint32_t)p[3] << 24);
}

static inline void put_le16(uint8_t *p, uint16_t x) {
  p[0] = (uint8_t)x;
  p[1] = (uint8_t)(x >> 8);
}

static inline void put_le32(uint8_t *p, uint32_t x) {
  put_le16(p, (uint16_t)x);
  put_le16(p + 2, (uint16_t)(x >> 16));
}

static inline void put_le64(uint8_t *p, uint64_t x) {
  put_le32(p, (uint32_t)x);
  put_le32(p + 4, (uint32_t)(x >> 32));
}

#endif
