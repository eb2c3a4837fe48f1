/* Wrong bytes for the fuzzer: frames damaged on the wire, and whole frames with wrong content. */
#ifndef FUZZ_MUTATE_H
#define FUZZ_MUTATE_H

#include <stddef.h>

#include "../src/device.h"
#include "fuzz_random.h"

#define FUZZ_CHUNK_BYTES (4 * FRAME_WIRE_BYTES(CONFIG_FRAME_BYTES))

/* Damages a few bytes; returns the new length. `bytes` has room for FUZZ_CHUNK_BYTES. */
size_t fuzz_damage(fuzz_random *random, uint8_t *bytes, size_t length);

/*
 * Changes the frame in `bytes` and gives it a right CRC again: fields at the ends of their ranges or beyond,
 * other bytes in the payload, another header. The numbers that a device in this state expects (sequence, run,
 * digest) are mostly set correctly; otherwise few frames would pass the first checks. Bytes that are no frame
 * stay unchanged. Returns the new length.
 */
size_t fuzz_rewrite(fuzz_random *random, const device *d, uint8_t *bytes, size_t length, uint32_t wrong_percent);

/* Makes a frame for a device in this state, with any message or without one. Returns its length. */
size_t fuzz_invent(fuzz_random *random, const device *d, uint8_t *wire);

/* A good HELLO and a good ping. */
size_t fuzz_hello(const uint8_t *nonce, uint32_t frame_bytes, uint8_t *wire);
size_t fuzz_ping(const device *d, uint32_t token, uint8_t *wire);

#endif
