/*
 * The sending half of go-back-N. It knows which frames wait, which are in flight, and when they are sent
 * again.
 */
#ifndef SENDER_H
#define SENDER_H

#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "round_trip.h"

#define SENDER_ENTRIES (TL_COMMAND_QUEUE_MAX + CONFIG_WINDOW)

typedef struct {
  uint32_t offset;
  uint32_t length;
  uint64_t sent_at_us;
  uint32_t sendings;
} sender_entry;

typedef struct {
  uint32_t window;
  uint32_t in_flight_bytes;
} sender_limits;

typedef struct {
  sender_limits limits;
  round_trip estimate;
  int retries;
  /*
   * A ring. The first `in_flight` entries may be on their way; their numbers begin with first_seq. The others
   * wait.
   */
  sender_entry entries[SENDER_ENTRIES];
  uint32_t head;
  uint32_t count;
  uint32_t in_flight;
  /* Index of the entry to send next, or to send again. */
  uint32_t next;
  uint16_t first_seq;
  /* How many frames were sent again since boot. */
  uint64_t retransmissions;
  /* How many valid naks came since boot. */
  uint64_t naks_received;
  /* A ring of payloads. Each is in one piece. */
  uint32_t write;
  uint8_t bytes[CONFIG_ANSWER_BYTES];
} sender;

/* Begins a session: numbers start at 0 and the queue is emptied. */
void sender_begin(sender *s, sender_limits limits);
/* Sends every unacknowledged frame again and counts timeouts from 0. */
void sender_resume(sender *s);
/*
 * The other side has shown that it is alive: a failed link
 * tries again (protocol.md, "Retransmission").
 */
void sender_heard(sender *s);
/* How many messages of at most `length` bytes each can be queued now. */
uint32_t sender_places(const sender *s, size_t length);
/* Queues a copy. Returns 0 when there is no room. */
int sender_put(sender *s, const uint8_t *payload, size_t length);
/*
 * Takes an acknowledgement. `nak` asks for all later frames again. An acknowledgement of a frame that was
 * never sent is ignored (protocol.md, "Acknowledgements").
 */
void sender_take_ack(sender *s, uint16_t ack, int nak, uint64_t now_us);
/* Returns the next frame to send and its number, or NULL. */
const sender_entry *sender_next(sender *s, uint64_t now_us, uint16_t *seq);
/* The number that the next new frame gets. */
uint16_t sender_next_seq(const sender *s);
/* The time at which the oldest unacknowledged frame is sent again; UINT64_MAX: never. */
uint64_t sender_timeout_us(const sender *s);

#endif
