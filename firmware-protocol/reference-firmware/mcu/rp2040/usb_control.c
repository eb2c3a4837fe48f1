/* Endpoint 0: descriptors and standard requests (USB 2.0, chapter 9). Unknown requests are stalled. */
#include "usb.h"

/*
 * The numbers of Raspberry Pi for a serial port of a board with this chip. A seller of boards needs its own
 * product number (docs/decisions, 85).
 */
#ifndef USB_VENDOR
#define USB_VENDOR 0x2e8a
#endif
#ifndef USB_PRODUCT
#define USB_PRODUCT 0x000a
#endif

#define LOW(x) ((x) & 255)
#define HIGH(x) ((x) >> 8)
#define TYPE_MASK 0x60u
#define TYPE_STANDARD 0x00u
#define TYPE_CLASS 0x20u
#define RECIPIENT_MASK 0x1fu
#define RECIPIENT_ENDPOINT 2u

enum { GET_STATUS, CLEAR_FEATURE, SET_FEATURE = 3, SET_ADDRESS = 5, GET_DESCRIPTOR, SET_DESCRIPTOR, GET_CONFIGURATION,
       SET_CONFIGURATION, GET_INTERFACE, SET_INTERFACE };
enum { DESCRIPTOR_DEVICE = 1, DESCRIPTOR_CONFIGURATION, DESCRIPTOR_STRING };

/* Class EF/02/01: functions are grouped by an interface association. */
static const uint8_t device_descriptor[18] = {
    18, DESCRIPTOR_DEVICE, 0x00, 0x02, 0xef, 2, 1, USB_PACKET_BYTES,
    LOW(USB_VENDOR), HIGH(USB_VENDOR), LOW(USB_PRODUCT), HIGH(USB_PRODUCT), 0x00, 0x01, 1, 2, 3, 1,
};

#define CONFIGURATION_BYTES 75
static const uint8_t configuration_descriptor[CONFIGURATION_BYTES] = {
    9, DESCRIPTOR_CONFIGURATION, CONFIGURATION_BYTES, 0, 2, 1, 0, 0x80, 50, /* 2 interfaces, 100 mA */
    8, 11, 0, 2, 2, 2, 0, 0,                                 /* association of both */
    9, 4, 0, 0, 1, 2, 2, 0, 0,                               /* communication, abstract control model */
    5, 0x24, 0, 0x10, 0x01,                                  /* header: CDC 1.1 */
    5, 0x24, 1, 0, 1,                                        /* no call management */
    4, 0x24, 2, 2,                                           /* line coding and state are understood */
    5, 0x24, 6, 0, 1,                                        /* union of interfaces 0 and 1 */
    7, 5, USB_DIRECTION_IN | USB_EP_NOTIFY, 3, 16, 0, 32,    /* never sends anything */
    9, 4, 1, 0, 2, 10, 0, 0, 0,                              /* data */
    7, 5, USB_EP_DATA, 2, USB_PACKET_BYTES, 0, 0,
    7, 5, USB_DIRECTION_IN | USB_EP_DATA, 2, USB_PACKET_BYTES, 0, 0,
};

#define STRING_CHARACTERS_MAX 31
/* Manufacturer, product, serial number; number 0 is the list of languages. */
static const char *strings[3] = {"thermolink", "", ""};

static const uint8_t *answer;
static uint32_t answer_left;
/* The answer is shorter than the request and fills its last packet, so an empty packet ends it. */
static int answer_needs_end;
static int answering;
static uint32_t answer_pid;
static void (*data_taken)(const uint8_t *bytes, uint32_t length);
static uint32_t new_address;
static uint8_t configuration;

void usb_control_init(const char *product, const char *serial_number) {
  strings[1] = product;
  strings[2] = serial_number;
}

void usb_control_reset(void) {
  REG(USB_ADDR_ENDP) = 0;
  new_address = 0;
  answering = 0;
  data_taken = 0;
  configuration = 0;
  usb_cdc_configure(0);
}

static void send_packet(void) {
  uint32_t length = answer_left < USB_PACKET_BYTES ? answer_left : USB_PACKET_BYTES;
  usb_write(USB_EP0_PLACE, answer, length);
  answer += length;
  answer_left -= length;
  if (length < USB_PACKET_BYTES) answer_needs_end = 0;
  usb_arm(USB_IN_BUFFER(0), USB_BUFFER_FULL | answer_pid | length);
  answer_pid ^= USB_BUFFER_DATA1;
}

void usb_control_answer(const void *bytes, uint32_t length, uint32_t asked) {
  answer = bytes;
  answer_left = length < asked ? length : asked;
  answer_needs_end = length < asked && length % USB_PACKET_BYTES == 0;
  answering = 1;
  answer_pid = USB_BUFFER_DATA1;
  send_packet();
  /* The host may end the request before the whole answer was sent. */
  usb_arm(USB_OUT_BUFFER(0), USB_BUFFER_DATA1);
}

void usb_control_accept(void) { usb_arm(USB_IN_BUFFER(0), USB_BUFFER_FULL | USB_BUFFER_DATA1); }

void usb_control_receive(void (*taken)(const uint8_t *bytes, uint32_t length)) {
  data_taken = taken;
  usb_arm(USB_OUT_BUFFER(0), USB_BUFFER_DATA1 | USB_PACKET_BYTES);
}

/* The controller clears this bit at the next SETUP. */
static void stall(void) {
  REG(USB_EP_STALL_ARM) = 3;
  REG(USB_IN_BUFFER(0)) = USB_BUFFER_STALL;
  REG(USB_OUT_BUFFER(0)) = USB_BUFFER_STALL;
}

static int answer_string(uint32_t number, uint32_t asked) {
  static uint8_t text[2 + 2 * STRING_CHARACTERS_MAX];
  uint32_t length = 2;
  if (number > sizeof strings / sizeof *strings) return 0;
  if (number == 0) {
    /* English, United States. */
    text[length++] = 0x09;
    text[length++] = 0x04;
  } else
    for (const char *from = strings[number - 1]; *from != 0 && length < sizeof text; from++) {
      text[length++] = (uint8_t)*from;
      text[length++] = 0;
    }
  text[0] = (uint8_t)length;
  text[1] = DESCRIPTOR_STRING;
  usb_control_answer(text, length, asked);
  return 1;
}

static int answer_descriptor(const usb_setup *s) {
  switch (s->value >> 8) {
    case DESCRIPTOR_DEVICE:
      usb_control_answer(device_descriptor, sizeof device_descriptor, s->length);
      return 1;
    case DESCRIPTOR_CONFIGURATION:
      usb_control_answer(configuration_descriptor, sizeof configuration_descriptor, s->length);
      return 1;
    case DESCRIPTOR_STRING:
      return answer_string(s->value & 255u, s->length);
    default:
      return 0;
  }
}

static int standard_request(const usb_setup *s) {
  static uint8_t word[2];
  word[0] = word[1] = 0;
  switch (s->request) {
    case GET_STATUS:
      usb_control_answer(word, 2, s->length);
      return 1;
    case CLEAR_FEATURE:
      if ((s->type & RECIPIENT_MASK) == RECIPIENT_ENDPOINT) usb_cdc_restart(s->index & 255u);
      usb_control_accept();
      return 1;
    case SET_ADDRESS:
      /* The new address is valid from the end of this request on. */
      new_address = s->value & 127u;
      usb_control_accept();
      return 1;
    case GET_DESCRIPTOR:
      return answer_descriptor(s);
    case GET_CONFIGURATION:
      word[0] = configuration;
      usb_control_answer(word, 1, s->length);
      return 1;
    case SET_CONFIGURATION:
      if (s->value > 1) return 0;
      configuration = (uint8_t)s->value;
      usb_cdc_configure(configuration);
      usb_control_accept();
      return 1;
    case GET_INTERFACE:
      usb_control_answer(word, 1, s->length);
      return 1;
    case SET_INTERFACE:
      if (s->value != 0) return 0;
      usb_control_accept();
      return 1;
    default:
      return 0;
  }
}

void usb_control_take_setup(void) {
  usb_setup s;
  int known;
  usb_read(0, (uint8_t *)&s, sizeof s);
  /* A SETUP ends the previous request at any stage. */
  answering = 0;
  data_taken = 0;
  new_address = 0;
  REG(USB_IN_BUFFER(0)) = 0;
  REG(USB_OUT_BUFFER(0)) = 0;
  if ((s.type & TYPE_MASK) == TYPE_STANDARD) known = standard_request(&s);
  else known = (s.type & TYPE_MASK) == TYPE_CLASS && usb_cdc_request(&s);
  if (!known) stall();
}

void usb_control_in_done(void) {
  if (new_address != 0) {
    REG(USB_ADDR_ENDP) = new_address;
    new_address = 0;
  }
  if (answering && (answer_left > 0 || answer_needs_end)) send_packet();
}

void usb_control_out_done(void) {
  void (*taken)(const uint8_t *bytes, uint32_t length) = data_taken;
  uint8_t packet[USB_PACKET_BYTES];
  uint32_t length = REG(USB_OUT_BUFFER(0)) & USB_BUFFER_LENGTH;
  answering = 0;
  if (!taken) return;
  data_taken = 0;
  usb_read(USB_EP0_PLACE, packet, length);
  taken(packet, length);
  usb_control_accept();
}
