#include "serve.h"

#include "board_hal.h"

/* One slice of ticks should take at most this long, because a stop waits for its end. */
#define SLICE_US 5000
#define FIRST_SLICE_TICKS 4
#define SLICE_TICKS_MAX (UINT64_C(1) << 20)
/* While the port is full, the loop checks the watchdog this often. */
#define FULL_PORT_US 10000

void serve_init(serve_loop *loop, device *device, const serve_port *port) {
  loop->device = device;
  loop->port = port;
  loop->pending = NULL;
  loop->pending_length = 0;
  loop->pending_since_us = 0;
  loop->slice_ticks = FIRST_SLICE_TICKS;
  loop->slice_run = 0;
}

/* Writes the bytes of the device until there are no more or the port is full. */
static void write_frames(serve_loop *loop) {
  for (;;) {
    uint64_t now_us = board_time_us();
    size_t written;
    if (loop->pending == NULL) {
      loop->pending = device_poll(loop->device, now_us, &loop->pending_length);
      loop->pending_since_us = now_us;
      if (loop->pending == NULL) return;
    }
    written = loop->port->is_open() ? loop->port->write(loop->pending, loop->pending_length) : loop->pending_length;
    /* A port whose write failed may have ended the session. */
    if (loop->pending == NULL) return;
    loop->pending += written;
    loop->pending_length -= written;
    if (written > 0) loop->pending_since_us = now_us;
    if (loop->pending_length == 0 || now_us - loop->pending_since_us > loop->port->stall_us) loop->pending = NULL;
    else return;
  }
}

static void pass_ticks(serve_loop *loop) {
  uint64_t started_us = board_time_us();
  uint64_t ticks, took_us;
  /* Another run may have ticks that take longer. */
  if (loop->device->run_id != loop->slice_run) {
    loop->slice_run = loop->device->run_id;
    if (loop->slice_ticks > FIRST_SLICE_TICKS) loop->slice_ticks = FIRST_SLICE_TICKS;
  }
  ticks = device_advance(loop->device, loop->slice_ticks);
  took_us = board_time_us() - started_us;
  if (took_us > SLICE_US && loop->slice_ticks > 1) loop->slice_ticks /= 2;
  /* A slice that ended early does not show how long a full slice takes. */
  else if (ticks == loop->slice_ticks && took_us < SLICE_US / 2 && loop->slice_ticks < SLICE_TICKS_MAX)
    loop->slice_ticks *= 2;
}

static int may_pass_ticks(const serve_loop *loop) { return loop->pending == NULL && device_ready(loop->device); }

void serve_turn(serve_loop *loop) {
  uint64_t due_us = 0;
  device_elapse(loop->device, board_time_us());
  write_frames(loop);
  if (loop->pending != NULL) due_us = board_time_us() + FULL_PORT_US;
  else if (!device_ready(loop->device)) due_us = device_timeout_us(loop->device);
  loop->port->take(due_us);
  if (may_pass_ticks(loop)) pass_ticks(loop);
}

void serve_disconnect(serve_loop *loop) {
  loop->pending = NULL;
  device_disconnect(loop->device);
}
