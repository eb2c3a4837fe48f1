/*
 * The device's end of the link. It takes bytes and the time, and gives messages and frames to write. Commands
 * and their answers arrive in order and once, by go-back-N (protocol.md, "Commands: delivered in order,
 * once"). The other channels send a message once; the host repeats a HELLO or a stop that was not answered.
 */
#ifndef LINK_H
#define LINK_H

#include "frame.h"
#include "sender.h"

#define LINK_PAYLOAD_BYTES_MAX (CONFIG_FRAME_BYTES - TL_FRAME_OVERHEAD_BYTES)
#define LINK_OPEN_BYTES_MAX (TL_FRAME_BYTES_BEFORE_HELLO - TL_FRAME_OVERHEAD_BYTES)
#define LINK_STOP_BYTES_MAX 32

typedef struct {
  uint64_t frames_received;
  uint64_t frames_sent;
  uint64_t frames_faulty;
  uint64_t frames_foreign;
  uint64_t frames_duplicate;
  uint64_t frames_out_of_order;
  uint64_t messages_rejected;
  uint64_t naks_sent;
} link_counters;

/* The code above the link: it takes messages, and has samples to send. */
typedef struct {
  void *context;
  void (*deliver)(void *context, uint8_t channel, const uint8_t *payload, size_t length, uint64_t now_us);
  /* Writes the next payload of the sample channel. Returns its length, 0 when there is none. */
  size_t (*next_sample)(void *context, uint8_t *payload, size_t capacity);
} link_user;

typedef struct {
  uint32_t frame_bytes;
  uint32_t window;
  uint32_t in_flight_bytes;
} link_limits;

typedef struct {
  link_user user;
  link_counters counters;
  int session_open;
  uint8_t session;
  uint32_t frame_bytes;
  uint16_t expected_seq;
  int ack_owed;
  int nak_owed;
  /* A nak was sent for the present gap and is not repeated (protocol.md, "Acknowledgements"). */
  int nak_sent;
  uint64_t last_heard_us;
  uint16_t sample_seq;
  uint16_t stop_seq;
  size_t stop_length;
  size_t open_length;
  uint8_t stop_payload[LINK_STOP_BYTES_MAX];
  uint8_t open_payload[LINK_OPEN_BYTES_MAX];
  sender commands;
  frame_decoder decoder;
  uint8_t raw[CONFIG_FRAME_BYTES];
  uint8_t wire[1 + FRAME_WIRE_BYTES(CONFIG_FRAME_BYTES)];
} link_state;

/* Puts the link into its state after power-on. */
void link_init(link_state *link, link_user user);
/* Opens a session. The link forgets the earlier session. */
void link_open_session(link_state *link, const uint8_t *nonce, link_limits limits);
/* Continues the session: sends every unacknowledged frame again (protocol.md, "Resuming a session"). */
void link_resume_session(link_state *link);
/*
 * Ends the session, because the host has gone. Until a session is opened, only answers to HELLO and stop are
 * sent.
 */
void link_close_session(link_state *link);
/* The longest payload that a frame to the host can carry. */
size_t link_payload_bytes_max(const link_state *link);
/* Takes bytes. Each message is delivered before the next frame is decoded (protocol.md, "Frames"). */
void link_receive(link_state *link, const uint8_t *bytes, size_t length, uint64_t now_us);
/* Queues a copy of a message of the command channel. Returns 0 when there is no room. */
int link_send(link_state *link, const uint8_t *payload, size_t length);
/* How many messages of the size of a report or answer can be queued now. */
uint32_t link_places(const link_state *link);
/*
 * The next two functions queue the answer to a stop or a HELLO. A newer answer replaces one that still waits.
 */
void link_send_stop(link_state *link, const uint8_t *payload, size_t length);
void link_send_open(link_state *link, const uint8_t *payload, size_t length);
/*
 * Returns the next bytes to write, or NULL when there is nothing to send now. They are valid until the next
 * call. The order is stop, open, commands, samples, a bare acknowledgement (protocol.md, "Order of sending").
 */
const uint8_t *link_poll(link_state *link, uint64_t now_us, size_t *length);
/* The time at which link_poll must be called even if nothing arrives; UINT64_MAX: never. */
uint64_t link_timeout_us(const link_state *link);

#endif
