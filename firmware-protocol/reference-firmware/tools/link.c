/*
 * Runs the link alone. The orders give the time. Each line is an order; times are in milliseconds, bytes are
 * hexadecimal:
 *
 *   link FRAME_BYTES_TAKEN                             a fresh one
 *   open NONCE FRAME_BYTES WINDOW IN_FLIGHT_BYTES      a session, with what the other end takes
 *   close
 *   resume
 *   receive TIME BYTES                                 → delivers CHANNEL:PAYLOAD…
 *   send CHANNEL PAYLOAD
 *   poll TIME FRAMES                                   → says WIRE…    at most so many frames
 *   wake                                               → wakes TIME    − when it never does
 */
#include <string.h>

#include "../src/crc.h"
#include "../src/link.h"
#include "line.h"

#define SAMPLES_MAX 64
#define SAMPLE_BYTES_MAX 256

static link_state link_end;
static uint8_t bytes[1 << 18];
static struct {
  size_t length;
  uint8_t payload[SAMPLE_BYTES_MAX];
} samples[SAMPLES_MAX];
static int sample_count;

static void deliver(void *context, uint8_t channel, const uint8_t *payload, size_t length, uint64_t now_us) {
  (void)context;
  (void)now_us;
  printf(" %d:", channel);
  print_hex(payload, length);
}

static size_t next_sample(void *context, uint8_t *payload, size_t capacity) {
  size_t length = sample_count > 0 ? samples[0].length : 0;
  (void)context;
  if (length > capacity) line_fail("a sample that no frame takes");
  if (sample_count == 0) return 0;
  memcpy(payload, samples[0].payload, length);
  memmove(samples, samples + 1, (size_t)--sample_count * sizeof samples[0]);
  return length;
}

static void fresh(void) {
  link_user user = {NULL, deliver, next_sample};
  link_init(&link_end, user);
  frame_decoder_init(&link_end.decoder, (size_t)line_number());
  sample_count = 0;
}

static void open_session(void) {
  link_limits limits;
  line_hex(line_need(), bytes, sizeof bytes);
  limits.frame_bytes = (uint32_t)line_number();
  limits.window = (uint32_t)line_number();
  limits.in_flight_bytes = (uint32_t)line_number();
  sample_count = 0;
  link_open_session(&link_end, bytes, limits);
}

static void receive(void) {
  uint64_t now_us = (uint64_t)line_number() * 1000;
  size_t length = line_hex(line_need(), bytes, sizeof bytes);
  printf("delivers");
  link_receive(&link_end, bytes, length, now_us);
  printf("\n");
}

static void queue(void) {
  static const size_t room[] = {LINK_OPEN_BYTES_MAX, sizeof bytes, SAMPLE_BYTES_MAX, LINK_STOP_BYTES_MAX};
  int channel = (int)line_number();
  size_t length = line_hex(line_need(), bytes, room[channel & 3]);
  if (channel == TL_CHANNEL_STOP) link_send_stop(&link_end, bytes, length);
  else if (channel == TL_CHANNEL_OPEN) link_send_open(&link_end, bytes, length);
  else if (channel == TL_CHANNEL_COMMAND) {
    if (!link_send(&link_end, bytes, length)) line_fail("no room for a command");
  } else {
    if (sample_count == SAMPLES_MAX) line_fail("no room for a sample");
    samples[sample_count].length = length;
    memcpy(samples[sample_count++].payload, bytes, length);
  }
}

static void say(void) {
  uint64_t now_us = (uint64_t)line_number() * 1000;
  printf("says");
  for (int64_t left = line_number(); left > 0; left--) {
    size_t length;
    const uint8_t *wire = link_poll(&link_end, now_us, &length);
    if (!wire) break;
    printf(" ");
    print_hex(wire, length);
  }
  printf("\n");
}

static void wake(void) {
  uint64_t due_us = link_timeout_us(&link_end);
  if (due_us == UINT64_MAX) printf("wakes -\n");
  else printf("wakes %llu\n", (unsigned long long)(due_us / 1000));
}

int main(void) {
  crc_init();
  while (line_next()) {
    const char *word = line_need();
    if (strcmp(word, "link") == 0) fresh();
    else if (strcmp(word, "open") == 0) open_session();
    else if (strcmp(word, "close") == 0) link_close_session(&link_end);
    else if (strcmp(word, "resume") == 0) link_resume_session(&link_end);
    else if (strcmp(word, "receive") == 0) receive();
    else if (strcmp(word, "send") == 0) queue();
    else if (strcmp(word, "poll") == 0) say();
    else if (strcmp(word, "wake") == 0) wake();
    else line_fail("no such order");
  }
  return 0;
}
