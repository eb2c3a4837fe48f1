/* Wrong bytes for the fuzzer: frames that are damaged on the wire, and whole frames whose content is wrong. */
#ifndef FUZZ_MUTATE_H
#define FUZZ_MUTATE_H

#include <stddef.h>

#include "../src/device.h"
#include "fuzz_random.h"

#define FUZZ_CHUNK_BYTES (4 * FRAME_WIRE_BYTES(CONFIG_FRAME_BYTES))

/* Flips, cuts, inserts, doubles, zeroes a few bytes of `bytes`, which has room for FUZZ_CHUNK_BYTES; the new length. */
size_t fuzz_damage(fuzz_random *random, uint8_t *bytes, size_t length);

/*
 * Takes the frame in `bytes` apart and puts it together again with a right CRC: fields at the ends of their ranges or beyond,
 * bytes of the payload changed, another header. Numbers that only a device in this state expects (sequence, run, digest) are
 * mostly set right, or hardly any frame would get behind the first checks. Bytes that are no frame stay; the new length.
 */
size_t fuzz_rewrite(fuzz_random *random, const device *d, uint8_t *bytes, size_t length, uint32_t wrong_percent);

/* A frame of any message to the device, or of none, made up for a device in this state; its length. */
size_t fuzz_invent(fuzz_random *random, const device *d, uint8_t *wire);

/* A good HELLO and a good ping. */
size_t fuzz_hello(const uint8_t *nonce, uint32_t frame_bytes, uint8_t *wire);
size_t fuzz_ping(const device *d, uint32_t token, uint8_t *wire);

#endif
