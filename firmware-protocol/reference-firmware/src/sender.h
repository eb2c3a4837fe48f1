/* The sending half of go-back-N: what waits, what is in flight, and when it must be sent again. */
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
  /* A ring: the first `in_flight` have a number (first_seq and on) and may be on their way, the others wait. */
  sender_entry entries[SENDER_ENTRIES];
  uint32_t head;
  uint32_t count;
  uint32_t in_flight;
  /* The next of those in flight to send (again). */
  uint32_t next;
  uint16_t first_seq;
  /* Counted since boot. */
  uint64_t retransmissions;
  /* A ring of payloads, each in one piece. */
  uint32_t write;
  uint8_t bytes[CONFIG_ANSWER_BYTES];
} sender;

/* A new session: numbers start at 0, and what waited is forgotten. */
void sender_begin(sender *s, sender_limits limits);
/* The other side has shown that it is alive: everything unacknowledged goes again, patience starts anew. */
void sender_resume(sender *s);
/* The other side lives: a sender that has given up tries again. */
void sender_heard(sender *s);
/* Messages that can be queued now, of at most `length` bytes each. */
uint32_t sender_places(const sender *s, size_t length);
/* Queues a copy. False without room. */
int sender_put(sender *s, const uint8_t *payload, size_t length);
/* Takes an acknowledgement; `nak` asks for everything behind it again. One of a frame never sent is not believed. */
void sender_take_ack(sender *s, uint16_t ack, int nak, uint64_t now_us);
/* The next frame to send, or NULL; its number. */
const sender_entry *sender_next(sender *s, uint64_t now_us, uint16_t *seq);
/* The number that the next new frame gets. */
uint16_t sender_next_seq(const sender *s);
/* When the oldest unacknowledged frame goes again; UINT64_MAX: never. */
uint64_t sender_timeout_us(const sender *s);

#endif
