/*
 * The channel as UART0 on pins 0 (to the host) and 1, 8N1. Interrupts move the bytes, because the queues of
 * the UART hold only 32.
 */
#include "../chip.h"
#include "../ring.h"
#include "port.h"
#include "rp2040.h"

#ifndef UART_BAUD
#define UART_BAUD 921600u
#endif
#define CLK_PERI_HZ 125000000u
#define RX_EMPTY (1u << 4)
#define TX_FULL (1u << 5)
#define EIGHT_BITS_WITH_QUEUES (3u << 5 | 1u << 4)
#define ENABLE_BOTH (1u << 0 | 1u << 8 | 1u << 9)
#define INT_RECEIVED (1u << 4)
#define INT_SENT (1u << 5)
#define INT_RECEIVE_TIMEOUT (1u << 6)

static ring received, sending;

void port_init(const char *product) {
  uint32_t divisor = (CLK_PERI_HZ * 4u + UART_BAUD / 2) / UART_BAUD; /* in 64ths */
  (void)product;
  release_from_reset(RESET_UART0);
  REG(UART0_IBRD) = divisor >> 6;
  REG(UART0_FBRD) = divisor & 63;
  REG(UART0_LCR_H) = EIGHT_BITS_WITH_QUEUES;
  REG(UART0_CR) = ENABLE_BOTH;
  REG(GPIO_CTRL(0)) = GPIO_FUNCTION_UART;
  REG(GPIO_CTRL(1)) = GPIO_FUNCTION_UART;
  REG(UART0_IMSC) = INT_RECEIVED | INT_RECEIVE_TIMEOUT;
  NVIC_ISER = 1u << IRQ_UART0;
}

/* Fills the queue of the UART, and asks for an interrupt if bytes are left. */
static void send(void) {
  uint8_t byte;
  while (!(REG(UART0_FR) & TX_FULL) && ring_take(&sending, &byte, 1) == 1) REG(UART0_DR) = byte;
  if (ring_used(&sending) > 0) SET_BITS(UART0_IMSC) = INT_SENT;
  else CLEAR_BITS(UART0_IMSC) = INT_SENT;
}

void uart_interrupt(void) {
  REG(UART0_ICR) = INT_RECEIVED | INT_SENT | INT_RECEIVE_TIMEOUT;
  while (!(REG(UART0_FR) & RX_EMPTY)) {
    uint8_t byte = (uint8_t)REG(UART0_DR);
    /* A byte without room is lost, as on any line. The link sends its frame again. */
    ring_put(&received, &byte, 1);
  }
  send();
}

size_t port_read(uint8_t *bytes, size_t capacity) { return ring_take(&received, bytes, capacity); }

size_t port_write(const uint8_t *bytes, size_t length) {
  size_t count = ring_put(&sending, bytes, length);
  uint32_t mask = interrupts_off();
  send();
  interrupts_restore(mask);
  return count;
}

int port_is_open(void) { return 1; }
int port_has_input(void) { return ring_used(&received) > 0; }
int port_has_room(void) { return ring_room(&sending) > 0; }
/* A plain line has no way to ask for the boot loader. The button on the board starts it. */
int port_wants_boot_loader(void) { return 0; }
