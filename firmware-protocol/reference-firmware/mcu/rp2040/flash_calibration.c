/*
 * The calibration record is in the flash, below the count of power-ons. Its first page holds its length and
 * CRC-32; the record follows. The first page is written last. A write that was interrupted therefore leaves
 * no record, never a part of a record.
 */
#include <string.h>

#include "../../src/board_hal.h"
#include "../../src/config.h"
#include "../../src/crc.h"
#include "flash.h"
#include "rp2040.h"
#include "watchdog.h"

#define CAPACITY (FLASH_CALIBRATION_SECTORS * FLASH_SECTOR_BYTES - FLASH_PAGE_BYTES)

typedef char assert_capacity[CONFIG_CALIBRATION_BYTES <= CAPACITY ? 1 : -1];

typedef struct {
  uint32_t length;
  /*
   * The complement ~length. It makes an erased page, or a page that was written only in part, an invalid
   * header.
   */
  uint32_t complement;
  uint32_t crc;
} header;

static uint32_t checked_length;
/* Whether checked_length is the length of the record in the flash. */
static int is_checked;

static const uint8_t *stored(uint32_t offset) {
  return (const uint8_t *)(uintptr_t)(FLASH_BASE + FLASH_CALIBRATION_OFFSET + offset);
}

static void erase(uint32_t sector) {
  uint32_t mask = interrupts_off();
  flash_erase_sector(FLASH_CALIBRATION_OFFSET + sector * FLASH_SECTOR_BYTES);
  interrupts_restore(mask);
  watchdog_feed();
}

/* Writes a page that begins with these bytes. */
static void program(uint32_t offset, const void *bytes, uint32_t length) {
  static uint8_t page[FLASH_PAGE_BYTES];
  uint32_t mask;
  memset(page, 0xff, sizeof page);
  memcpy(page, bytes, length);
  mask = interrupts_off();
  flash_program_page(FLASH_CALIBRATION_OFFSET + offset, page);
  interrupts_restore(mask);
  watchdog_feed();
}

/* The length in the header of the flash; 0: there is no record, or only a part of one. */
static uint32_t stored_length(void) {
  header found;
  memcpy(&found, stored(0), sizeof found);
  if (found.length != ~found.complement || found.length > CONFIG_CALIBRATION_BYTES) return 0;
  return crc32(0, stored(FLASH_PAGE_BYTES), found.length) == found.crc ? found.length : 0;
}

/* The record in the flash is checked only once: the check takes time, and a run may be in progress. */
const uint8_t *board_calibration(uint32_t *length) {
  if (!is_checked) checked_length = stored_length();
  is_checked = 1;
  *length = checked_length;
  return stored(FLASH_PAGE_BYTES);
}

int board_keep_calibration(const uint8_t *record, uint32_t length) {
  header made = {length, ~length, crc32(0, record, length)};
  is_checked = 0;
  /* Only the sectors that the record needs are erased: a flash wears out, and to erase it takes long. */
  for (uint32_t sector = 0; sector * FLASH_SECTOR_BYTES < FLASH_PAGE_BYTES + length; sector++) erase(sector);
  for (uint32_t at = 0; at < length; at += FLASH_PAGE_BYTES)
    program(FLASH_PAGE_BYTES + at, record + at, length - at < FLASH_PAGE_BYTES ? length - at : FLASH_PAGE_BYTES);
  if (length > 0) program(0, &made, sizeof made);
  return stored_length() == length && memcmp(stored(FLASH_PAGE_BYTES), record, length) == 0;
}
