/* Routines of the boot ROM. Two letters identify each (datasheet 2.8.3). */
#ifndef BOOT_ROM_H
#define BOOT_ROM_H

#include <stdint.h>

typedef void (*rom_call)(void);
typedef void (*rom_erase)(uint32_t offset, uint32_t bytes, uint32_t block_bytes, uint8_t block_command);
typedef void (*rom_program)(uint32_t offset, const uint8_t *bytes, uint32_t length);
typedef void (*rom_usb_boot)(uint32_t activity_pins, uint32_t disabled_interfaces);

#define ROM_FUNCTION_TABLE 0x14u
#define ROM_TABLE_LOOKUP 0x18u

static inline void *boot_rom_function(char a, char b) {
  typedef void *(*rom_lookup)(const uint16_t *table, uint32_t code);
  rom_lookup lookup = (rom_lookup)(uintptr_t)*(const volatile uint16_t *)ROM_TABLE_LOOKUP;
  const uint16_t *table = (const uint16_t *)(uintptr_t)*(const volatile uint16_t *)ROM_FUNCTION_TABLE;
  return lookup(table, (uint32_t)(uint8_t)b << 8 | (uint8_t)a);
}

#endif
