/* Frames: COBS( version | channel | session | flags | seq u16 | ack u16 | payload | CRC-32 ) 0x00. docs/reference/protocol.md, Frames. */
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

/* Longest encoding of a frame of `bytes`, delimiter included. */
#define FRAME_WIRE_BYTES(bytes) ((bytes) + 2 + (bytes) / 254)

/* What came since the last delimiter, as far as a frame can be long. */
typedef struct {
  size_t frame_bytes_max;
  size_t length;
  /* Bytes since the last delimiter, those beyond the bound included. */
  uint64_t seen;
  /* Of the rubbish that was last found. */
  uint64_t fault_bytes;
  uint8_t block[FRAME_WIRE_BYTES(CONFIG_FRAME_BYTES)];
} frame_decoder;

void frame_decoder_init(frame_decoder *decoder, size_t frame_bytes_max);

/*
 * Takes bytes up to and including the next delimiter; how many. `result` says what ended there. The payload of a good
 * frame lies in the decoder until the next call.
 */
size_t frame_decoder_push(frame_decoder *decoder, const uint8_t *bytes, size_t length, frame_result *result, frame *out);

/*
 * Encodes into `wire` (FRAME_WIRE_BYTES of the frame), delimiter included; the length. `raw` is room for the frame; the
 * payload may already lie there, at TL_FRAME_HEADER_BYTES.
 */
size_t frame_encode(const frame *source, uint8_t *raw, uint8_t *wire);

#endif
