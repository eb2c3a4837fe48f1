/*
 * Reset: copies the image to RAM, clears the variables that start at zero, and continues in RAM. This code
 * runs from flash, so it calls no function before the copy. Code in RAM never waits for the flash, and the
 * flash may be written.
 */
#include "rp2040.h"

extern uint32_t image_begin[], image_end[], image_load[], bss_begin[], bss_end[], stack_top[];

int main(void);
void timer_interrupt(void);
void usb_interrupt(void);
void uart_interrupt(void);
void reset_handler(void) __attribute__((section(".start"), noreturn));

/* If this image does not contain a port, the port has no interrupt. */
void __attribute__((weak)) usb_interrupt(void) {}
void __attribute__((weak)) uart_interrupt(void) {}

/* From here on nothing feeds the watchdog, so it restarts the chip. */
static void fault(void) {
  for (;;) __asm volatile("bkpt #1");
}

/* The vector table in flash needs only these two words: the stack and the reset handler. */
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
  /* A branch cannot reach from flash to RAM, but a jump to an address in a register can. */
  int (*volatile go)(void) = main;
  while (to < (volatile uint32_t *)image_end) *to++ = *from++;
  for (to = bss_begin; to < (volatile uint32_t *)bss_end;) *to++ = 0;
  SCB_VTOR = (uint32_t)(uintptr_t)ram_vectors;
  go();
  for (;;) {
  }
}
