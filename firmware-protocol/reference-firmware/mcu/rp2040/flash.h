/*
 * The flash chip: its number, and the count of power-ons. Interrupts must be off, and no code runs from
 * flash.
 */
#ifndef FLASH_H
#define FLASH_H

#include <stdint.h>

#define FLASH_NUMBER_BYTES 8

/* Reads the number that the maker of the flash has given it (command 4Bh). */
void flash_read_number(uint8_t number[FLASH_NUMBER_BYTES]);
/* Counts one more and returns the new count. A cut of the power meanwhile never makes the count smaller. */
uint32_t flash_count(void);

#endif
