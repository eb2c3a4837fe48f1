/*
 * The main program of a board on a serial line. Here the line is a pseudo-terminal: example-board LINK. A
 * microcontroller replaces `take`, `write_line` and `is_open` by functions for its UART or USB port; the rest
 * stays.
 */
#define _XOPEN_SOURCE 700
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "../posix/entrance.h"
#include "../src/board_hal.h"
#include "../src/device.h"
#include "../src/serve.h"

#define IDLE_US_MAX 1000000
/* If nobody reads the line, it drops bytes after this time. */
#define STALL_US UINT64_C(10000000)

static device board_device;
static int line;

/* A microcontroller sleeps here until a byte or its timer wakes it. */
static void take(uint64_t due_us) {
  uint8_t bytes[256];
  struct pollfd input = {line, POLLIN, 0};
  uint64_t now_us = board_time_us();
  uint64_t left_us = due_us > now_us ? due_us - now_us : 0;
  ssize_t length;
  if (left_us > IDLE_US_MAX) left_us = IDLE_US_MAX;
  if (poll(&input, 1, (int)((left_us + 999) / 1000)) <= 0) return;
  length = read(line, bytes, sizeof bytes);
  if (length > 0) device_receive(&board_device, bytes, (size_t)length, board_time_us());
}

static size_t write_line(const uint8_t *bytes, size_t length) {
  ssize_t written = write(line, bytes, length);
  return written > 0 ? (size_t)written : 0;
}

static int is_open(void) { return 1; }

int main(int argc, char **argv) {
  static const serve_port port = {take, write_line, is_open, STALL_US};
  static serve_loop loop;
  char uri[512];
  line = argc == 2 ? entrance_open_pty(argv[1], uri, sizeof uri) : -1;
  if (line < 0) return 1;
  /* This is the first power-on. A real board counts its power-ons in memory that survives them. */
  device_init(&board_device, 1 << DEVICE_RESETS_LOG2);
  serve_init(&loop, &board_device, &port);
  printf("connect by --device\n  %s\n", uri);
  fflush(stdout);
  for (;;) serve_turn(&loop);
}
