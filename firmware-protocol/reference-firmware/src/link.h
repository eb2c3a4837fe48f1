/*
 * The device's end of the link: bytes and the time in, messages and frames to write out. docs/reference/protocol.md: Frames,
 * Sessions, Commands. Commands go back N; stop and open are sent once and repeated by whoever asks; samples are sent once.
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
} link_counters;

/* Above the link: who takes messages, and who has samples to send. */
typedef struct {
  void *context;
  void (*deliver)(void *context, uint8_t channel, const uint8_t *payload, size_t length, uint64_t now_us);
  /* Writes the next payload of the sample channel; its length, 0 when there is none. */
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
  /* A nak was sent for the present gap: another would only repeat it. */
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

/* As after power-on. */
void link_init(link_state *link, link_user user);
/* Starts a session; everything of an earlier one is forgotten. */
void link_open_session(link_state *link, const uint8_t *nonce, link_limits limits);
/* The host goes on after a silence: what was not acknowledged goes again. */
void link_resume_session(link_state *link);
/* The host has gone: nothing more is said until a session is opened. */
void link_close_session(link_state *link);
/* Longest payload that a frame to the host can carry. */
size_t link_payload_bytes_max(const link_state *link);
/* Each message is delivered before the next frame is looked at. */
void link_receive(link_state *link, const uint8_t *bytes, size_t length, uint64_t now_us);
/* Queues a message of the command channel, copying it. False without room. */
int link_send(link_state *link, const uint8_t *payload, size_t length);
/* Places for command messages of a report's or answer's size. */
uint32_t link_places(const link_state *link);
/* A stop's and HELLO's answer: a newer one takes the place of one that still waits. */
void link_send_stop(link_state *link, const uint8_t *payload, size_t length);
void link_send_open(link_state *link, const uint8_t *payload, size_t length);
/* The next bytes to write, good until the next call; NULL when there is nothing to say now. */
const uint8_t *link_poll(link_state *link, uint64_t now_us, size_t *length);
/* When link_poll has something to say even if nothing arrives; UINT64_MAX: never. */
uint64_t link_timeout_us(const link_state *link);

#endif
