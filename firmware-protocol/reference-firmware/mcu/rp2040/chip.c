#include "../chip.h"

#include "../../src/board_hal.h"
#include "boot_rom.h"
#include "clocks.h"
#include "flash.h"
#include "port.h"
#include "rp2040.h"
#include "watchdog.h"

/* An alarm that is closer than this may pass before it is set. */
#define ALARM_MARGIN_US 10
/* The time in which the answer to the request for the boot loader must reach the host. */
#define BOOT_LOADER_DELAY_US 20000

void chip_init(void) {
  clocks_init();
  /* On a restart by the watchdog all pins are open, so the outputs of a board are off. */
  REG(PSM_WDSEL) = PSM_ALL_BUT_OSCILLATORS;
  watchdog_feed();
  SET_BITS(WATCHDOG_CTRL) = WATCHDOG_ENABLE;
}

void chip_turn(void) {
  watchdog_feed();
  if (!port_wants_boot_loader()) return;
  for (uint64_t end_us = board_time_us() + BOOT_LOADER_DELAY_US; board_time_us() < end_us;) {
  }
  rom_usb_boot boot = (rom_usb_boot)boot_rom_function('U', 'B');
  CLEAR_BITS(WATCHDOG_CTRL) = WATCHDOG_ENABLE;
  boot(0, 0);
}

void chip_sleep(uint64_t due_us, int (*has_work)(void)) {
  uint32_t mask = interrupts_off();
  if (!has_work() && due_us > board_time_us() + ALARM_MARGIN_US) {
    clocks_wake_at(due_us);
    wait_for_interrupt();
  }
  interrupts_restore(mask);
}

uint32_t chip_count_power_on(void) {
  uint32_t mask = interrupts_off();
  uint32_t count = flash_count();
  interrupts_restore(mask);
  return count;
}

const char *chip_serial_number(void) {
  static const char digits[] = "0123456789ABCDEF";
  static char text[2 * FLASH_NUMBER_BYTES + 1];
  uint8_t number[FLASH_NUMBER_BYTES];
  uint32_t mask;
  if (text[0] != 0) return text;
  mask = interrupts_off();
  flash_read_number(number);
  interrupts_restore(mask);
  for (int i = 0; i < FLASH_NUMBER_BYTES; i++) {
    text[2 * i] = digits[number[i] >> 4];
    text[2 * i + 1] = digits[number[i] & 15];
  }
  return text;
}
