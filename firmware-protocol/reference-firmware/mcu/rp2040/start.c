/*
 * Reset: copies the image to RAM, clears what starts at zero, and goes on there. It runs from flash, so it
 * calls nothing before the copy. From RAM the code never waits for the flash, and the flash may be written.
 */
#include "rp2040.h"

extern uint32_t image_begin[], image_end[], image_load[], bss_begin[], bss_end[], stack_top[];

int main(void);
void timer_interrupt(void);
void usb_interrupt(void);
void uart_interrupt(void);
void reset_handler(void) __attribute__((section(".start"), noreturn));

/* A port that is not in this image has no interrupt. */
void __attribute__((weak)) usb_interrupt(void) {}
void __attribute__((weak)) uart_interrupt(void) {}

/* Nothing feeds the watchdog from here on, so it restarts the chip. */
static void fault(void) {
  for (;;) __asm volatile("bkpt #1");
}

/* The two words of the table in flash that are used. */
__attribute__((section(".vectors"), used)) static const void *const vectors[2] = {stack_top, (const void *)reset_handler};

#define FAULT (const void *)fault
__attribute__((section(".ram_vectors"), used, aligned(256))) static const void *const ram_vectors[16 + 32] = {
    stack_top, (const void *)reset_handler, FAULT, FAULT, FAULT, FAULT, FAULT, FAULT,
    FAULT, FAULT, FAULT, FAULT, FAULT, FAULT, FAULT, FAULT,
    (const void *)timer_interrupt, FAULT, FAULT, FAULT, FAULT, (const void *)usb_interrupt, FAULT, FAULT,
    FAULT, FAULT, FAULT, FAULT, FAULT, FAULT, FAULT, FAULT,
    FAULT, FAULT, FAULT, FAULT, (const void *)uart_interrupt, FAULT, FAULT, FAULT,
    FAULT, FAULT, FAULT, FAULT, FAULT, FAULT, FAULT, FAULT,
};

void reset_handler(void) {
  volatile uint32_t *to = image_begin;
  const volatile uint32_t *from = image_load;
  /* A branch does not reach from flash to RAM, an address in a register does. */
  int (*volatile go)(void) = main;
  while (to < (volatile uint32_t *)image_end) *to++ = *from++;
  for (to = bss_begin; to < (volatile uint32_t *)bss_end;) *to++ = 0;
  SCB_VTOR = (uint32_t)(uintptr_t)ram_vectors;
  go();
  for (;;) {
  }
}
