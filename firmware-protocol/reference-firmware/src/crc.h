/*
 * CRC-32 (ISO-HDLC, as in zlib) and CRC-32C (Castagnoli). Calls can be chained: crc32(crc32(0, a), b) is the
 * CRC of a followed by b.
 */
#ifndef CRC_H
#define CRC_H

#include <stddef.h>
#include <stdint.h>

/* Fills the tables. Call it first. */
void crc_init(void);
uint32_t crc32(uint32_t state, const uint8_t *bytes, size_t length);
uint32_t crc32c(uint32_t state, const uint8_t *bytes, size_t length);

#endif
