/*
 * The main loop of a device, the same on every processor. It hands bytes in, and lets ticks pass in slices
 * that are short enough for a stop. It writes the bytes that come out, even if the port takes only few at a
 * time.
 */
#ifndef SERVE_H
#define SERVE_H

#include "device.h"

/* A byte channel. No call but `take` waits. */
typedef struct serve_port {
  /*
   * Calls device_receive with all bytes that have come. If there are none, it sleeps until bytes come, until
   * a port that was full takes bytes again, or until `due_us`. It may return early. If `due_us` has passed,
   * it does not sleep.
   */
  void (*take)(uint64_t due_us);
  /* Returns how many bytes the port took. The others are offered again. */
  size_t (*write)(const uint8_t *bytes, size_t length);
  /* Whether somebody can receive bytes. If not, bytes are dropped, as on a wire. */
  int (*is_open)(void);
  /* A port that takes no bytes for this time counts as closed; UINT64_MAX: never. */
  uint64_t stall_us;
} serve_port;

typedef struct {
  device *device;
  const serve_port *port;
  /* The rest of a frame that is being written, or NULL. */
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
