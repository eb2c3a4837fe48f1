/*
 * QEMU's lm3s6965evb: a Cortex-M3 with 64 kB of RAM, a UART (PL011) and the core's timer. It has no memory
 * that survives a restart, so its count of power-ons is always one.
 */
#include "../chip.h"

#include "../../src/board_hal.h"

#define REG(address) (*(volatile uint32_t *)(uintptr_t)(address))
#define SYSCTL_RCC 0x400fe060u
#define SYSCTL_RCC_DIVIDER_MASK (15u << 23)
/* 200 MHz / 4. */
#define SYSCTL_RCC_BY_FOUR (3u << 23 | 1u << 22)
#define SYSCTL_RCGC1 0x400fe104u
#define UART0_DR 0x4000c000u
#define UART0_FR 0x4000c018u
#define UART0_LCR_H 0x4000c02cu
#define UART0_CR 0x4000c030u
#define UART0_IMSC 0x4000c038u
#define RX_EMPTY (1u << 4)
#define TX_FULL (1u << 5)
#define INT_RECEIVED (1u << 4 | 1u << 6)
#define ENABLE_BOTH (1u << 0 | 1u << 8 | 1u << 9)
#define EIGHT_BITS_WITH_QUEUES (3u << 5 | 1u << 4)
#define SYST_CSR 0xe000e010u
#define SYST_RVR 0xe000e014u
#define SYST_CVR 0xe000e018u
#define SYST_RUNS_WITH_INTERRUPT 7u
#define NVIC_ISER REG(0xe000e100u)
#define IRQ_UART0 5
#define CORE_MHZ 50u
#define CYCLES_PER_MS (CORE_MHZ * 1000u)

extern uint32_t data_begin[], data_end[], data_load[], bss_begin[], bss_end[], stack_top[];
int main(void);
void reset_handler(void);

static volatile uint64_t milliseconds;

static void fault(void) {
  for (;;) __asm volatile("bkpt #1");
}
static void systick_interrupt(void) { milliseconds++; }
/* The interrupt only ends a sleep; port_read enables it again. */
static void uart_interrupt(void) { REG(UART0_IMSC) = 0; }

#define FAULT (const void *)fault
__attribute__((section(".vectors"), used)) static const void *const vectors[16 + 6] = {
    stack_top, (const void *)reset_handler, FAULT, FAULT, FAULT, FAULT, FAULT, 0,
    0, 0, 0, FAULT, FAULT, 0, FAULT, (const void *)systick_interrupt,
    FAULT, FAULT, FAULT, FAULT, FAULT, (const void *)uart_interrupt,
};

void reset_handler(void) {
  const uint32_t *from = data_load;
  for (uint32_t *to = data_begin; to < data_end;) *to++ = *from++;
  for (uint32_t *to = bss_begin; to < bss_end;) *to++ = 0;
  main();
}

static uint32_t interrupts_off(void) {
  uint32_t mask;
  __asm volatile("mrs %0, primask\n cpsid i" : "=r"(mask)::"memory");
  return mask;
}
static void interrupts_restore(uint32_t mask) { __asm volatile("msr primask, %0" ::"r"(mask) : "memory"); }

void chip_init(void) {
  REG(SYSCTL_RCC) = (REG(SYSCTL_RCC) & ~SYSCTL_RCC_DIVIDER_MASK) | SYSCTL_RCC_BY_FOUR;
  REG(SYSCTL_RCGC1) |= 1;
  REG(SYST_RVR) = CYCLES_PER_MS - 1;
  REG(SYST_CVR) = 0;
  REG(SYST_CSR) = SYST_RUNS_WITH_INTERRUPT;
}

uint64_t board_time_us(void) {
  static uint64_t latest_us;
  uint64_t ms, now_us;
  do {
    ms = milliseconds;
    now_us = ms * 1000 + (CYCLES_PER_MS - 1 - REG(SYST_CVR)) / CORE_MHZ;
  } while (ms != milliseconds);
  /* The counter may have wrapped while its interrupt is still pending. */
  if (now_us > latest_us) latest_us = now_us;
  return latest_us;
}

/* The virtual machine has no watchdog and no boot loader. */
void chip_turn(void) {}

/* The timer's interrupt comes every millisecond, so `due_us` needs no interrupt of its own. */
void chip_sleep(uint64_t due_us, int (*has_work)(void)) {
  uint32_t mask = interrupts_off();
  if (!has_work() && due_us > board_time_us()) __asm volatile("dsb\n wfi" ::: "memory");
  interrupts_restore(mask);
}

uint32_t chip_count_power_on(void) {
  static uint32_t count;
  return ++count;
}

const char *chip_serial_number(void) { return "lm3s6965evb"; }

void port_init(const char *product) {
  (void)product;
  REG(UART0_CR) = ENABLE_BOTH;
  REG(UART0_LCR_H) = EIGHT_BITS_WITH_QUEUES;
  REG(UART0_IMSC) = INT_RECEIVED;
  NVIC_ISER = 1u << IRQ_UART0;
}

size_t port_read(uint8_t *bytes, size_t capacity) {
  size_t count = 0;
  while (count < capacity && port_has_input()) bytes[count++] = (uint8_t)REG(UART0_DR);
  REG(UART0_IMSC) = INT_RECEIVED;
  return count;
}

size_t port_write(const uint8_t *bytes, size_t length) {
  size_t count = 0;
  while (count < length && port_has_room()) REG(UART0_DR) = bytes[count++];
  return count;
}

int port_is_open(void) { return 1; }
int port_has_input(void) { return !(REG(UART0_FR) & RX_EMPTY); }
int port_has_room(void) { return !(REG(UART0_FR) & TX_FULL); }
