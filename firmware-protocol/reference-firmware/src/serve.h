/*
 * The main loop of a device, the same on every processor: it hands bytes in, lets ticks pass in slices that
 * end soon enough for a stop, and writes what comes out, however little the port takes at a time.
 */
#ifndef SERVE_H
#define SERVE_H

#include "device.h"

/* A byte channel. No call but `take` waits. */
typedef struct serve_port {
  /*
   * Gives all bytes that have come to device_receive. If there are none, it sleeps until some come, until a
   * port that was full takes bytes again, or until `due_us`. It may return early. A time that has passed: it
   * does not sleep.
   */
  void (*take)(uint64_t due_us);
  /* Returns how many bytes the port took. The others are offered again. */
  size_t (*write)(const uint8_t *bytes, size_t length);
  /* Whether somebody can receive bytes. Without anybody they are dropped, as on a wire. */
  int (*is_open)(void);
  /* A port that takes nothing for so long counts as closed; UINT64_MAX: never. */
  uint64_t stall_us;
} serve_port;

typedef struct {
  device *device;
  const serve_port *port;
  /* What is left of a frame that is being written, or NULL. */
  const uint8_t *pending;
  size_t pending_length;
  uint64_t pending_since_us;
  uint64_t slice_ticks;
  uint32_t slice_run;
} serve_loop;

/* `device` has been booted by device_init. */
void serve_init(serve_loop *loop, device *device, const serve_port *port);
/* One turn: writes, sleeps if there is nothing to do, takes bytes, and lets one slice of ticks pass. */
void serve_turn(serve_loop *loop);
/* Ends the session, because the connection was closed (protocol.md, "One client at a time"). */
void serve_disconnect(serve_loop *loop);

#endif
