/*
 * The main loop of a board on a serial line; here the line is a pseudo-terminal: example-board LINK. A
 * microcontroller reads and writes its UART or USB port instead, and everything else stays.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "../posix/entrance.h"
#include "../src/board_hal.h"
#include "../src/device.h"

/* Ticks between two looks at the line. A stop waits for their end. */
#define SLICE_TICKS 64
#define IDLE_MS 5

static device board_device;

/* Reads bytes from the host, if there are any. */
static void read_line(int line) {
  uint8_t bytes[256];
  ssize_t length = read(line, bytes, sizeof bytes);
  if (length > 0) device_receive(&board_device, bytes, (size_t)length, board_time_us());
}

/* Writes all frames of the device. A frame is valid until the next device_poll, so it is written before. */
static void write_line(int line) {
  const uint8_t *bytes;
  size_t length;
  while ((bytes = device_poll(&board_device, board_time_us(), &length)) != NULL)
    while (length > 0) {
      ssize_t written = write(line, bytes, length);
      if (written > 0) {
        bytes += written;
        length -= (size_t)written;
      } else if (errno != EAGAIN && errno != EINTR) return;
    }
}

int main(int argc, char **argv) {
  char uri[512];
  int line = argc == 2 ? entrance_open_pty(argv[1], uri, sizeof uri) : -1;
  if (line < 0) return 1;
  /* The boot epoch: one more at every power-on, from memory that survives it. */
  device_init(&board_device, 1);
  printf("connect by --device\n  %s\n", uri);
  fflush(stdout);
  for (;;) {
    struct pollfd input = {line, POLLIN, 0};
    int busy = device_ready(&board_device);
    /* An idle microcontroller sleeps here until a byte or its timer wakes it. */
    if (poll(&input, 1, busy ? 0 : IDLE_MS) > 0) read_line(line);
    if (busy) device_advance(&board_device, SLICE_TICKS);
    write_line(line);
  }
}
