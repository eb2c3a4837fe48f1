/*
 * Waits for the HELLO of a client that has no board yet, and can answer that another client has the board
 * (protocol.md, "One client at a time"). It ignores everything else, and its memory is bounded.
 */
#ifndef HELLO_WATCH_H
#define HELLO_WATCH_H

#include "../src/frame.h"

typedef struct {
  uint64_t seen;
  size_t length;
  uint8_t block[FRAME_WIRE_BYTES(TL_FRAME_BYTES_BEFORE_HELLO)];
  /* These are set when a HELLO was found: its bytes on the wire between two delimiters, and its nonce. */
  size_t hello_length;
  uint8_t hello[FRAME_WIRE_BYTES(TL_FRAME_BYTES_BEFORE_HELLO) + 2];
  uint8_t nonce[TL_NONCE_BYTES];
} hello_watch;

void hello_watch_init(hello_watch *watch);
/*
 * Takes bytes up to the end of a HELLO, or all bytes. Returns how many it took. `found` tells whether a HELLO
 * came.
 */
size_t hello_watch_push(hello_watch *watch, const uint8_t *bytes, size_t length, int *found);
/*
 * Writes a delimiter and the frame with the refusal `busy`. Returns their length. `out` holds
 * FRAME_WIRE_BYTES(256) + 1.
 */
size_t hello_watch_busy(const hello_watch *watch, uint8_t *out);

#endif
