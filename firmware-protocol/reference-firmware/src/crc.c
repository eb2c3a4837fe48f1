#include "crc.h"

#include "bytes.h"

/*
 * A step takes four bytes. tables[k] has the effect of a byte that is followed by k more bytes of the step.
 */
typedef uint32_t crc_tables[4][256];

static crc_tables iso_hdlc;
static crc_tables castagnoli;

static void fill(crc_tables tables, uint32_t reflected_polynomial) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t value = byte;
    for (int bit = 0; bit < 8; bit++) value = (value >> 1) ^ (value & 1 ? reflected_polynomial : 0);
    tables[0][byte] = value;
  }
  for (int k = 1; k < 4; k++)
    for (int byte = 0; byte < 256; byte++) {
      uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 255];
    }
}

void crc_init(void) {
  fill(iso_hdlc, UINT32_C(0xedb88320));
  fill(castagnoli, UINT32_C(0x82f63b78));
}

static uint32_t update(crc_tables tables, uint32_t state, const uint8_t *bytes, size_t length) {
  uint32_t crc = ~state;
  for (; length >= 4; length -= 4, bytes += 4) {
    uint32_t x = crc ^ get_le32(bytes);
    crc = tables[3][x & 255] ^ tables[2][(x >> 8) & 255] ^ tables[1][(x >> 16) & 255] ^ tables[0][x >> 24];
  }
  for (; length > 0; length--, bytes++) crc = (crc >> 8) ^ tables[0][(crc ^ *bytes) & 255];
  return ~crc;
}

uint32_t crc32(uint32_t state, const uint8_t *bytes, size_t length) {
  return update(iso_hdlc, state, bytes, length);
}

uint32_t crc32c(uint32_t state, const uint8_t *bytes, size_t length) {
  return update(castagnoli, state, bytes, length);
}
