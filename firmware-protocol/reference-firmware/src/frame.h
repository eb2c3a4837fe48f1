/*
 * Frames (protocol.md, "Frames"): COBS( version | channel | session | flags | seq u16 | ack u16 | payload |
 * CRC-32 ) 0x00.
 */
#ifndef FRAME_H
#define FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "config.h"

typedef struct {
  uint8_t channel;
  uint8_t session;
  uint8_t flags;
  uint16_t seq;
  uint16_t ack;
  const uint8_t *payload;
  size_t length;
} frame;

typedef enum { FRAME_NONE, FRAME_GOOD, FRAME_COBS, FRAME_CRC, FRAME_SHORT, FRAME_OVERSIZE, FRAME_HEADER } frame_result;

/* The length of the longest encoding of a frame of `bytes`, with its delimiter. */
#define FRAME_WIRE_BYTES(bytes) ((bytes) + 2 + (bytes) / 254)

/* The bytes since the last delimiter, as many as a frame can have (protocol.md, "Receiving frames"). */
typedef struct {
  size_t frame_bytes_max;
  size_t length;
  /* How many bytes came since the last delimiter, including those beyond the bound. */
  uint64_t seen;
  /* The number of bytes of the last fault. */
  uint64_t fault_bytes;
  uint8_t block[FRAME_WIRE_BYTES(CONFIG_FRAME_BYTES)];
} frame_decoder;

void frame_decoder_init(frame_decoder *decoder, size_t frame_bytes_max);

/*
 * Takes bytes up to and including the next delimiter, and returns how many it took. `result` tells what ended
 * at the delimiter. The payload of a good frame stays in the decoder until the next call.
 */
size_t frame_decoder_push(frame_decoder *decoder, const uint8_t *bytes, size_t length, frame_result *result, frame *out);

/*
 * Encodes a frame with its delimiter into `wire`, which must hold FRAME_WIRE_BYTES of the frame's length.
 * Returns the length of the encoding. `raw` is room for the frame before COBS; the payload may already be in
 * it, at TL_FRAME_HEADER_BYTES.
 */
size_t frame_encode(const frame *source, uint8_t *raw, uint8_t *wire);

#endif
