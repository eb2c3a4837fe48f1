/*
 * All clocks come from the crystal of 12 MHz: 125 MHz for core and peripherals, 48 MHz for USB and ADC, and a
 * timer in microseconds.
 */
#include "clocks.h"

#include "../../src/board_hal.h"
#include "rp2040.h"

#define CRYSTAL_MHZ 12u
/* 47 · 256 cycles of the crystal are 1 ms. */
#define CRYSTAL_STARTUP 47u
#define CRYSTAL_RANGE_1_15_MHZ 0xaa0u
#define CRYSTAL_ENABLE (0xfabu << 12)
#define REF_FROM_CRYSTAL 2u
#define SYS_FROM_PLL 1u

/*
 * Sets 12 MHz · feedback / (divider1 · divider2). The oscillator must be between 750 and 1600 MHz (2.18.2).
 */
static void start_pll(uint32_t pll, uint32_t feedback, uint32_t divider1, uint32_t divider2) {
  REG(pll + PLL_CS) = 1;
  REG(pll + PLL_FBDIV) = feedback;
  CLEAR_BITS(pll + PLL_PWR) = PLL_POWER_DOWN | PLL_OSCILLATOR_DOWN;
  while (!(REG(pll + PLL_CS) & PLL_LOCK)) {
  }
  REG(pll + PLL_PRIM) = divider1 << 16 | divider2 << 12;
  CLEAR_BITS(pll + PLL_PWR) = PLL_POST_DIVIDER_DOWN;
}

void clocks_init(void) {
  REG(XOSC_CTRL) = CRYSTAL_RANGE_1_15_MHZ;
  REG(XOSC_STARTUP) = CRYSTAL_STARTUP;
  SET_BITS(XOSC_CTRL) = CRYSTAL_ENABLE;
  while (!(REG(XOSC_STATUS) & XOSC_STABLE)) {
  }
  /* After a warm start a clock may still use a PLL. No clock may use a PLL while the PLL is being set up. */
  CLEAR_BITS(CLK_SYS_CTRL) = SYS_FROM_PLL;
  while (REG(CLK_SYS_SELECTED) != 1u << 0) {
  }
  CLEAR_BITS(CLK_REF_CTRL) = 3;
  while (REG(CLK_REF_SELECTED) != 1u << 0) {
  }
  SET_BITS(RESETS_RESET) = RESET_PLL_SYS | RESET_PLL_USB;
  release_from_reset(RESET_PLL_SYS | RESET_PLL_USB | RESET_TIMER | RESET_IO_BANK0 | RESET_PADS_BANK0);
  start_pll(PLL_SYS, 125, 6, 2);
  start_pll(PLL_USB, 100, 5, 5);
  REG(CLK_REF_CTRL) = REF_FROM_CRYSTAL;
  while (REG(CLK_REF_SELECTED) != 1u << REF_FROM_CRYSTAL) {
  }
  /* The source is chosen before the switch to it. This order avoids a glitch (2.15.3.2). */
  REG(CLK_SYS_CTRL) = 0;
  SET_BITS(CLK_SYS_CTRL) = SYS_FROM_PLL;
  while (REG(CLK_SYS_SELECTED) != 1u << SYS_FROM_PLL) {
  }
  REG(CLK_PERI_CTRL) = CLK_ENABLE;
  REG(CLK_USB_CTRL) = CLK_ENABLE;
  REG(CLK_ADC_CTRL) = CLK_ENABLE;
  /* Without this, timer and watchdog do not run. */
  REG(WATCHDOG_TICK) = CRYSTAL_MHZ | WATCHDOG_TICK_ENABLE;
  SET_BITS(TIMER_INTE) = 1u << 0;
  NVIC_ISER = 1u << IRQ_TIMER_0;
}

uint64_t board_time_us(void) {
  uint32_t high = REG(TIMER_RAWH);
  for (;;) {
    uint32_t low = REG(TIMER_RAWL);
    uint32_t again = REG(TIMER_RAWH);
    if (again == high) return (uint64_t)high << 32 | low;
    high = again;
  }
}

void clocks_wake_at(uint64_t us) { REG(TIMER_ALARM0) = (uint32_t)us; }

void timer_interrupt(void) { REG(TIMER_INTR) = 1u << 0; }
