/* The registers of the RP2040 that this port uses. Numbers in brackets are sections of the datasheet. */
#ifndef RP2040_H
#define RP2040_H

#include <stdint.h>

#define REG(address) (*(volatile uint32_t *)(uintptr_t)(address))
/* Aliases of each register that set or clear the bits written (2.1.2). */
#define SET_BITS(address) REG((address) + 0x2000u)
#define CLEAR_BITS(address) REG((address) + 0x3000u)

/* Resets (2.14). */
#define RESETS_RESET 0x4000c000u
#define RESETS_RESET_DONE 0x4000c008u
#define RESET_ADC (1u << 0)
#define RESET_IO_BANK0 (1u << 5)
#define RESET_PADS_BANK0 (1u << 8)
#define RESET_PLL_SYS (1u << 12)
#define RESET_PLL_USB (1u << 13)
#define RESET_PWM (1u << 14)
#define RESET_TIMER (1u << 21)
#define RESET_UART0 (1u << 22)
#define RESET_USBCTRL (1u << 24)

/*
 * Power-on state machine (2.13): the blocks that a watchdog restarts. Bits 0 and 1 are the two oscillators.
 */
#define PSM_WDSEL 0x40010008u
#define PSM_ALL_BUT_OSCILLATORS 0x1fffcu

/* Clocks (2.15). */
#define CLK_REF_CTRL 0x40008030u
#define CLK_REF_SELECTED 0x40008038u
#define CLK_SYS_CTRL 0x4000803cu
#define CLK_SYS_SELECTED 0x40008044u
#define CLK_PERI_CTRL 0x40008048u
#define CLK_USB_CTRL 0x40008054u
#define CLK_ADC_CTRL 0x40008060u
#define CLK_ENABLE (1u << 11)

/* Crystal oscillator (2.16). */
#define XOSC_CTRL 0x40024000u
#define XOSC_STATUS 0x40024004u
#define XOSC_STARTUP 0x4002400cu
#define XOSC_STABLE (1u << 31)

/* PLLs (2.18). */
#define PLL_SYS 0x40028000u
#define PLL_USB 0x4002c000u
#define PLL_CS 0x0u
#define PLL_PWR 0x4u
#define PLL_FBDIV 0x8u
#define PLL_PRIM 0xcu
#define PLL_LOCK (1u << 31)
#define PLL_POWER_DOWN (1u << 0)
#define PLL_POST_DIVIDER_DOWN (1u << 3)
#define PLL_OSCILLATOR_DOWN (1u << 5)

/* Timer (4.6). */
#define TIMER_ALARM0 0x40054010u
#define TIMER_RAWH 0x40054024u
#define TIMER_RAWL 0x40054028u
#define TIMER_INTR 0x40054034u
#define TIMER_INTE 0x40054038u

/* Watchdog (4.7). */
#define WATCHDOG_CTRL 0x40058000u
#define WATCHDOG_LOAD 0x40058004u
#define WATCHDOG_TICK 0x4005802cu
#define WATCHDOG_ENABLE (1u << 30)
#define WATCHDOG_TICK_ENABLE (1u << 9)

/* Pins and pads (2.19). */
#define GPIO_CTRL(n) (0x40014004u + 8u * (n))
#define GPIO_FUNCTION_UART 2u
#define GPIO_FUNCTION_PWM 4u
#define PAD(n) (0x4001c004u + 4u * (n))
#define PAD_OUTPUT_OFF (1u << 7)
#define QSPI_SS_CTRL 0x4001800cu

/* Pulse width modulation (4.5), by slice. */
#define PWM_CSR(n) (0x40050000u + 0x14u * (n))
#define PWM_DIV(n) (0x40050004u + 0x14u * (n))
#define PWM_CC(n) (0x4005000cu + 0x14u * (n))
#define PWM_TOP(n) (0x40050010u + 0x14u * (n))
#define PWM_ENABLE (1u << 0)
#define PWM_DIVIDE_BY_ONE (1u << 4)

/* Analog-to-digital converter (4.9). */
#define ADC_CS 0x4004c000u
#define ADC_RESULT 0x4004c004u
#define ADC_ENABLE (1u << 0)
#define ADC_START_ONE (1u << 2)
#define ADC_READY (1u << 8)
#define ADC_INPUT_SHIFT 12

/* Serial flash interface (4.10). */
#define SSI_SR 0x18000028u
#define SSI_DR0 0x18000060u
#define SSI_CAN_WRITE (1u << 1)
#define SSI_CAN_READ (1u << 3)

/* UART (4.2). */
#define UART0_DR 0x40034000u
#define UART0_FR 0x40034018u
#define UART0_IBRD 0x40034024u
#define UART0_FBRD 0x40034028u
#define UART0_LCR_H 0x4003402cu
#define UART0_CR 0x40034030u
#define UART0_IMSC 0x40034038u
#define UART0_ICR 0x40034044u

/* Core (2.4). */
#define NVIC_ISER REG(0xe000e100u)
#define SCB_VTOR REG(0xe000ed08u)
#define IRQ_TIMER_0 0
#define IRQ_USBCTRL 5
#define IRQ_UART0 20

static inline uint32_t interrupts_off(void) {
  uint32_t mask;
  __asm volatile("mrs %0, primask\n cpsid i" : "=r"(mask)::"memory");
  return mask;
}
static inline void interrupts_restore(uint32_t mask) { __asm volatile("msr primask, %0" ::"r"(mask) : "memory"); }
/* Returns at a pending interrupt, even while interrupts are off. */
static inline void wait_for_interrupt(void) { __asm volatile("dsb\n wfi" ::: "memory"); }

static inline void release_from_reset(uint32_t blocks) {
  CLEAR_BITS(RESETS_RESET) = blocks;
  while ((REG(RESETS_RESET_DONE) & blocks) != blocks) {
  }
}

#endif
