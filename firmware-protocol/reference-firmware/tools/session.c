/*
 * Runs the device without a port, to compare the bytes of implementations. The orders give the time. Each
 * line is an order; times are in microseconds:
 *
 *   boot PROFILE DIE BOOT_EPOCH
 *   receive TIME BYTES            hexadecimal
 *   poll TIME                     → say FRAME…    all that it has to say, on the wire
 *   elapse TIME
 *   advance TICKS                 → ticks DONE READY
 *   disconnect
 *   mark WORD                     → mark WORD
 */
#include <string.h>

#include "../src/device.h"
#include "../src/model.h"
#include "line.h"

static device board_device;
static uint8_t bytes[1 << 20];

uint64_t board_time_us(void) { return 0; }

static void boot(void) {
  const board_profile *profile = model_profile(line_need());
  uint32_t die = (uint32_t)line_number();
  if (!profile || !model_init(profile, die)) line_fail("no such profile");
  frame_decoder_init(&board_device.link.decoder, CONFIG_FRAME_BYTES);
  device_init(&board_device, (uint32_t)line_number());
}

static void say(uint64_t now_us) {
  const uint8_t *wire;
  size_t length;
  printf("say");
  while ((wire = device_poll(&board_device, now_us, &length)) != NULL) {
    printf(" ");
    print_hex(wire, length);
  }
  printf("\n");
}

int main(void) {
  while (line_next()) {
    const char *word = line_need();
    if (strcmp(word, "boot") == 0) boot();
    else if (strcmp(word, "receive") == 0) {
      uint64_t now_us = (uint64_t)line_number();
      device_receive(&board_device, bytes, line_hex(line_need(), bytes, sizeof bytes), now_us);
    } else if (strcmp(word, "poll") == 0) say((uint64_t)line_number());
    else if (strcmp(word, "elapse") == 0) device_elapse(&board_device, (uint64_t)line_number());
    else if (strcmp(word, "advance") == 0) {
      uint64_t ticks = device_advance(&board_device, (uint64_t)line_number());
      printf("ticks %llu %d\n", (unsigned long long)ticks, device_ready(&board_device));
    } else if (strcmp(word, "disconnect") == 0) device_disconnect(&board_device);
    else if (strcmp(word, "mark") == 0) printf("mark %s\n", line_need());
    else line_fail("no such order");
  }
  return 0;
}
