/*
 * The flash chip: its number, the count of power-ons, and writing. Interrupts must be off, and no code runs
 * from flash.
 */
#ifndef FLASH_H
#define FLASH_H

#include <stdint.h>

#define FLASH_NUMBER_BYTES 8
/* The address at which the flash is read in place. */
#define FLASH_BASE 0x10000000u
#define FLASH_BYTES (2048u * 1024u)
#define FLASH_SECTOR_BYTES 4096u
#define FLASH_PAGE_BYTES 256u

/*
 * The uses of the last sectors, as offsets from the beginning of the flash. rp2040.ld and make-uf2.mjs keep
 * images out of them.
 */
#define FLASH_COUNT_OFFSET (FLASH_BYTES - 2u * FLASH_SECTOR_BYTES)
#define FLASH_CALIBRATION_SECTORS 8u
#define FLASH_CALIBRATION_OFFSET (FLASH_COUNT_OFFSET - FLASH_CALIBRATION_SECTORS * FLASH_SECTOR_BYTES)

/* Reads the unique number of the flash chip (command 4Bh). */
void flash_read_number(uint8_t number[FLASH_NUMBER_BYTES]);
/*
 * Adds one to the count and returns the new count. A loss of power meanwhile never makes the count smaller.
 */
uint32_t flash_count(void);
/* Sets all bits of a sector, which takes 400 ms at most. */
void flash_erase_sector(uint32_t offset);
/* Clears the bits of a page that are 0 in `page`. `page` must be in RAM. */
void flash_program_page(uint32_t offset, const uint8_t *page);

#endif
