/*
 * The USB device controller (datasheet 4.1) and its two users: usb_control.c answers requests on endpoint 0,
 * usb_cdc.c moves the bytes of a serial port. After the start all functions except port_… run in the
 * interrupt.
 */
#ifndef USB_H
#define USB_H

#include <stdint.h>

#include "rp2040.h"

#define USB_PACKET_BYTES 64u
#define USB_EP_NOTIFY 1u
#define USB_EP_DATA 2u
#define USB_DIRECTION_IN 0x80u

/* Dual-port memory: endpoint control, buffer control, buffers (4.1.2.5). */
#define USB_DPRAM 0x50100000u
#define USB_DPRAM_REGISTER_BYTES 0x180u
#define USB_IN_ENDPOINT(n) (USB_DPRAM + 8u * (n))
#define USB_OUT_ENDPOINT(n) (USB_DPRAM + 8u * (n) + 4u)
#define USB_IN_BUFFER(n) (USB_DPRAM + 0x80u + 8u * (n))
#define USB_OUT_BUFFER(n) (USB_DPRAM + 0x84u + 8u * (n))
#define USB_ENDPOINT_ENABLE (1u << 31 | 1u << 29)
#define USB_ENDPOINT_BULK (2u << 26)
#define USB_ENDPOINT_INTERRUPT (3u << 26)
#define USB_BUFFER_FULL (1u << 15)
#define USB_BUFFER_DATA1 (1u << 13)
#define USB_BUFFER_STALL (1u << 11)
#define USB_BUFFER_AVAILABLE (1u << 10)
#define USB_BUFFER_LENGTH 0x3ffu
/* The addresses of packets. */
#define USB_EP0_PLACE 0x100u
#define USB_NOTIFY_PLACE 0x180u
#define USB_OUT_PLACE 0x1c0u
#define USB_IN_PLACE 0x200u

/* Registers (4.1.4). */
#define USB_ADDR_ENDP 0x50110000u
#define USB_MAIN_CTRL 0x50110040u
#define USB_SIE_CTRL 0x5011004cu
#define USB_SIE_STATUS 0x50110050u
#define USB_BUFF_STATUS 0x50110058u
#define USB_EP_STALL_ARM 0x50110068u
#define USB_MUXING 0x50110074u
#define USB_PWR 0x50110078u
#define USB_INTE 0x50110090u
#define USB_INTS 0x50110098u
#define USB_INT_BUFF_STATUS (1u << 4)
#define USB_INT_BUS_RESET (1u << 12)
#define USB_INT_SETUP (1u << 16)
#define USB_SIE_BUS_RESET (1u << 19)
#define USB_SIE_SETUP (1u << 17)
#define USB_SIE_PULLUP (1u << 16)
#define USB_SIE_EP0_INTERRUPTS (1u << 29)

typedef struct {
  uint8_t type;
  uint8_t request;
  uint16_t value;
  uint16_t index;
  uint16_t length;
} usb_setup;

/*
 * Gives a buffer to the controller. The controller has a clock of its own. The bit that hands the buffer over
 * must therefore be written at least one cycle of that clock after the rest of the word (4.1.2.5.1).
 */
static inline void usb_arm(uint32_t buffer, uint32_t value) {
  REG(buffer) = value;
  __asm volatile("nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop");
  REG(buffer) = value | USB_BUFFER_AVAILABLE;
}

static inline void usb_write(uint32_t place, const uint8_t *bytes, uint32_t length) {
  volatile uint8_t *to = (volatile uint8_t *)(uintptr_t)(USB_DPRAM + place);
  while (length-- > 0) *to++ = *bytes++;
}

static inline void usb_read(uint32_t place, uint8_t *bytes, uint32_t length) {
  const volatile uint8_t *from = (const volatile uint8_t *)(uintptr_t)(USB_DPRAM + place);
  while (length-- > 0) *bytes++ = *from++;
}

/* usb_control.c */
void usb_control_init(const char *product, const char *serial_number);
void usb_control_reset(void);
void usb_control_take_setup(void);
void usb_control_in_done(void);
void usb_control_out_done(void);
/* Answers with at most as many bytes as the request asked for. */
void usb_control_answer(const void *bytes, uint32_t length, uint32_t asked);
/* Ends a request without data towards the host. */
void usb_control_accept(void);
/* Takes the data of a request, at most one packet, and gives it to `taken`. */
void usb_control_receive(void (*taken)(const uint8_t *bytes, uint32_t length));

/* usb_cdc.c */
void usb_cdc_configure(int configured);
/* After a cleared halt the next packet is DATA0. */
void usb_cdc_restart(uint32_t address);
/* Returns 0 for a request that it does not know. */
int usb_cdc_request(const usb_setup *setup);

#endif
