/*
 * The channel as a USB serial port (CDC-ACM; USB class definitions for communication devices 1.1). Interrupts
 * move packets between two rings and the bus.
 */
#include "../chip.h"
#include "../ring.h"
#include "port.h"
#include "usb.h"

#define CONTROLLER_ENABLE 1u
#define MUXING_TO_PHY (1u << 0 | 1u << 3)
/* This board has no pin for the bus voltage. The bus is present whenever the board has power. */
#define VBUS_ALWAYS_THERE (1u << 2 | 1u << 3)
#define LINE_CODING_BYTES 7
/* A host sets this speed to ask for the boot loader, as is usual on boards with USB. */
#define BOOT_LOADER_BAUD 1200u

enum { SET_LINE_CODING = 0x20, GET_LINE_CODING, SET_CONTROL_LINE_STATE, SEND_BREAK };
#define LINE_STATE_DTR 1u

static ring received, sending;
static volatile int configured, opened, wants_boot_loader;
/* A buffer is with the controller. */
static int out_armed, in_armed;
static uint32_t out_pid, in_pid;
/* The last packet was full, so for the host the transfer has not ended. */
static int in_was_full;
/* 115200 baud, 8N1. USB bytes have no such speed; the host only reads back the value that it set. */
static uint8_t line_coding[LINE_CODING_BYTES] = {0x00, 0xc2, 0x01, 0x00, 0, 0, 8};

/* Asks for a packet if there is room for it. Until then the controller tells the host to try again. */
static void receive_packet(void) {
  if (!configured || out_armed || ring_room(&received) < USB_PACKET_BYTES) return;
  out_armed = 1;
  usb_arm(USB_OUT_BUFFER(USB_EP_DATA), out_pid | USB_PACKET_BYTES);
  out_pid ^= USB_BUFFER_DATA1;
}

static void send_packet(void) {
  uint8_t packet[USB_PACKET_BYTES];
  uint32_t length;
  if (!configured || in_armed) return;
  length = (uint32_t)ring_take(&sending, packet, sizeof packet);
  /* An empty packet ends a transfer whose last packet was full. */
  if (length == 0 && !in_was_full) return;
  in_armed = 1;
  in_was_full = length == USB_PACKET_BYTES;
  usb_write(USB_IN_PLACE, packet, length);
  usb_arm(USB_IN_BUFFER(USB_EP_DATA), USB_BUFFER_FULL | in_pid | length);
  in_pid ^= USB_BUFFER_DATA1;
}

void usb_cdc_configure(int on) {
  configured = on;
  opened = 0;
  out_armed = in_armed = in_was_full = 0;
  out_pid = in_pid = 0;
  ring_clear(&sending);
  REG(USB_IN_BUFFER(USB_EP_DATA)) = 0;
  REG(USB_OUT_BUFFER(USB_EP_DATA)) = 0;
  REG(USB_IN_ENDPOINT(USB_EP_NOTIFY)) = on ? USB_ENDPOINT_ENABLE | USB_ENDPOINT_INTERRUPT | USB_NOTIFY_PLACE : 0;
  REG(USB_OUT_ENDPOINT(USB_EP_DATA)) = on ? USB_ENDPOINT_ENABLE | USB_ENDPOINT_BULK | USB_OUT_PLACE : 0;
  REG(USB_IN_ENDPOINT(USB_EP_DATA)) = on ? USB_ENDPOINT_ENABLE | USB_ENDPOINT_BULK | USB_IN_PLACE : 0;
  receive_packet();
}

void usb_cdc_restart(uint32_t address) {
  if (address == USB_EP_DATA) {
    /* The waiting buffer is given to the controller again, now for a packet DATA0. */
    out_pid = 0;
    out_armed = 0;
    receive_packet();
  } else if (address == (USB_DIRECTION_IN | USB_EP_DATA)) {
    if (in_armed) usb_arm(USB_IN_BUFFER(USB_EP_DATA), REG(USB_IN_BUFFER(USB_EP_DATA)) & (USB_BUFFER_FULL | USB_BUFFER_LENGTH));
    in_pid = in_armed ? USB_BUFFER_DATA1 : 0;
  }
}

static void take_line_coding(const uint8_t *bytes, uint32_t length) {
  uint32_t baud;
  if (length != LINE_CODING_BYTES) return;
  for (int i = 0; i < LINE_CODING_BYTES; i++) line_coding[i] = bytes[i];
  baud = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
  if (baud == BOOT_LOADER_BAUD) wants_boot_loader = 1;
}

int usb_cdc_request(const usb_setup *s) {
  switch (s->request) {
    case SET_LINE_CODING:
      usb_control_receive(take_line_coding);
      return 1;
    case GET_LINE_CODING:
      usb_control_answer(line_coding, sizeof line_coding, s->length);
      return 1;
    case SET_CONTROL_LINE_STATE:
      opened = s->value & LINE_STATE_DTR;
      if (!opened) ring_clear(&sending);
      usb_control_accept();
      return 1;
    case SEND_BREAK:
      usb_control_accept();
      return 1;
    default:
      return 0;
  }
}

static void take_packet(void) {
  uint8_t packet[USB_PACKET_BYTES];
  uint32_t length = REG(USB_OUT_BUFFER(USB_EP_DATA)) & USB_BUFFER_LENGTH;
  out_armed = 0;
  usb_read(USB_OUT_PLACE, packet, length);
  ring_put(&received, packet, length);
  receive_packet();
}

static void buffers_done(uint32_t done) {
  if (done & 1u << 0) usb_control_in_done();
  if (done & 1u << 1) usb_control_out_done();
  if (done & 1u << (2 * USB_EP_DATA)) {
    in_armed = 0;
    send_packet();
  }
  if (done & 1u << (2 * USB_EP_DATA + 1)) take_packet();
}

void usb_interrupt(void) {
  uint32_t why = REG(USB_INTS);
  if (why & USB_INT_BUFF_STATUS) {
    uint32_t done = REG(USB_BUFF_STATUS);
    REG(USB_BUFF_STATUS) = done;
    buffers_done(done);
  }
  if (why & USB_INT_SETUP) {
    REG(USB_SIE_STATUS) = USB_SIE_SETUP;
    usb_control_take_setup();
  }
  if (why & USB_INT_BUS_RESET) {
    REG(USB_SIE_STATUS) = USB_SIE_BUS_RESET;
    usb_control_reset();
  }
}

void port_init(const char *product) {
  usb_control_init(product, chip_serial_number());
  SET_BITS(RESETS_RESET) = RESET_USBCTRL;
  release_from_reset(RESET_USBCTRL);
  for (uint32_t at = 0; at < USB_DPRAM_REGISTER_BYTES; at += 4) REG(USB_DPRAM + at) = 0;
  REG(USB_MUXING) = MUXING_TO_PHY;
  REG(USB_PWR) = VBUS_ALWAYS_THERE;
  REG(USB_MAIN_CTRL) = CONTROLLER_ENABLE;
  REG(USB_SIE_CTRL) = USB_SIE_EP0_INTERRUPTS;
  REG(USB_INTE) = USB_INT_BUFF_STATUS | USB_INT_BUS_RESET | USB_INT_SETUP;
  NVIC_ISER = 1u << IRQ_USBCTRL;
  /* From here on the host sees a device. */
  SET_BITS(USB_SIE_CTRL) = USB_SIE_PULLUP;
}

size_t port_read(uint8_t *bytes, size_t capacity) {
  size_t count = ring_take(&received, bytes, capacity);
  uint32_t mask = interrupts_off();
  receive_packet();
  interrupts_restore(mask);
  return count;
}

size_t port_write(const uint8_t *bytes, size_t length) {
  /*
   * The interrupt may clear the ring. It must not come between the check of the ring and the copy of the
   * bytes.
   */
  uint32_t mask = interrupts_off();
  size_t count = opened ? ring_put(&sending, bytes, length) : length;
  send_packet();
  interrupts_restore(mask);
  return count;
}

int port_is_open(void) { return opened; }
int port_has_input(void) { return ring_used(&received) > 0; }
int port_has_room(void) { return ring_room(&sending) > 0 || !opened; }
int port_wants_boot_loader(void) { return wants_boot_loader; }
