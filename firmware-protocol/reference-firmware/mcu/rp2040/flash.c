/*
 * The count of power-ons is in the last two sectors of the flash. Each count clears one bit, which needs no
 * erase. The first page of a sector holds the count of all earlier sectors. When all 30720 bits of a sector
 * are cleared, the other sector is erased, and its first page gets the count so far. The full sector stays
 * valid until then, so the count survives a loss of power at any moment.
 *
 * The boot ROM's routines do the writing (datasheet 2.8.3.1.3).
 */
#include "flash.h"

#include "boot_rom.h"
#include "rp2040.h"

#define PAGE_WORDS (FLASH_PAGE_BYTES / 4u)
#define SECTOR_WORDS (FLASH_SECTOR_BYTES / 4u)
#define ERASE_64K 0xd8u
#define READ_UNIQUE_ID 0x4bu
#define UNIQUE_ID_DUMMIES 4u
#define SELECT_LOW (2u << 8)
#define SELECT_HIGH (3u << 8)
#define SELECT_MASK (3u << 8)

static uint32_t sector_offset(int sector) { return FLASH_COUNT_OFFSET + (uint32_t)sector * FLASH_SECTOR_BYTES; }

static const volatile uint32_t *sector_words(int sector) {
  return (const volatile uint32_t *)(uintptr_t)(FLASH_BASE + sector_offset(sector));
}

/*
 * Switches the flash from reading in place to commands. The ROM routines for this must be looked up before.
 */
static void begin_commands(void) {
  rom_call connect = (rom_call)boot_rom_function('I', 'F');
  rom_call leave_xip = (rom_call)boot_rom_function('E', 'X');
  connect();
  leave_xip();
}

static void end_commands(void) {
  rom_call flush = (rom_call)boot_rom_function('F', 'C');
  rom_call enter_xip = (rom_call)boot_rom_function('C', 'X');
  flush();
  enter_xip();
}

void flash_erase_sector(uint32_t offset) {
  rom_erase erase_range = (rom_erase)boot_rom_function('R', 'E');
  begin_commands();
  erase_range(offset, FLASH_SECTOR_BYTES, 1u << 16, ERASE_64K);
  end_commands();
}

void flash_program_page(uint32_t offset, const uint8_t *page) {
  rom_program program_range = (rom_program)boot_rom_function('R', 'P');
  begin_commands();
  program_range(offset, page, FLASH_PAGE_BYTES);
  end_commands();
}

/* Writes two words of one page. All other words stay as they are. */
static void program(int sector, uint32_t word, uint32_t first, uint32_t second) {
  static uint32_t page[PAGE_WORDS];
  for (uint32_t i = 0; i < PAGE_WORDS; i++) page[i] = UINT32_MAX;
  page[word % PAGE_WORDS] = first;
  page[(word + 1) % PAGE_WORDS] &= second;
  flash_program_page(sector_offset(sector) + word / PAGE_WORDS * FLASH_PAGE_BYTES, (const uint8_t *)page);
}

/* If a header was written only in part, it does not match its complement. */
static int is_valid(int sector) { return sector_words(sector)[0] == ~sector_words(sector)[1]; }

static uint32_t base_of(int sector) { return sector_words(sector)[0]; }

static void begin_sector(int sector, uint32_t base) {
  flash_erase_sector(sector_offset(sector));
  program(sector, 0, base, ~base);
}

static int newest_sector(void) {
  if (is_valid(0) && is_valid(1)) return base_of(1) > base_of(0);
  if (is_valid(0)) return 0;
  if (is_valid(1)) return 1;
  begin_sector(0, 0);
  return 0;
}

uint32_t flash_count(void) {
  const volatile uint32_t *words;
  uint32_t count, word = PAGE_WORDS, bits = 0;
  int sector;
  /*
   * The clocks are faster now. From here on the flash is read as the boot ROM reads it, which is slow enough
   * for the flash.
   */
  begin_commands();
  end_commands();
  sector = newest_sector();
  words = sector_words(sector);
  count = base_of(sector);
  while (word < SECTOR_WORDS && words[word] == 0) word++;
  count += (word - PAGE_WORDS) * 32;
  if (word == SECTOR_WORDS) {
    sector = !sector;
    begin_sector(sector, count);
    word = PAGE_WORDS;
    words = sector_words(sector);
  }
  for (uint32_t left = words[word]; (left & 1) == 0; left >>= 1) bits++;
  program(sector, word, bits == 31 ? 0 : UINT32_MAX << (bits + 1), UINT32_MAX);
  return count + bits + 1;
}

static void select_chip(uint32_t level) { REG(QSPI_SS_CTRL) = (REG(QSPI_SS_CTRL) & ~SELECT_MASK) | level; }

/* Sends a byte and receives one at the same time. */
static uint8_t exchange(uint8_t byte) {
  while (!(REG(SSI_SR) & SSI_CAN_WRITE)) {
  }
  REG(SSI_DR0) = byte;
  while (!(REG(SSI_SR) & SSI_CAN_READ)) {
  }
  return (uint8_t)REG(SSI_DR0);
}

void flash_read_number(uint8_t number[FLASH_NUMBER_BYTES]) {
  begin_commands();
  select_chip(SELECT_LOW);
  exchange(READ_UNIQUE_ID);
  for (uint32_t i = 0; i < UNIQUE_ID_DUMMIES; i++) exchange(0);
  for (uint32_t i = 0; i < FLASH_NUMBER_BYTES; i++) number[i] = exchange(0);
  select_chip(SELECT_HIGH);
  select_chip(0);
  end_commands();
}
