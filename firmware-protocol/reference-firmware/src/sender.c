#include "sender.h"

#include <string.h>

static sender_entry *entry_at(sender *s, uint32_t index) { return &s->entries[(s->head + index) % SENDER_ENTRIES]; }

static const sender_entry *oldest(const sender *s) { return &s->entries[s->head]; }

static int has_failed(const sender *s) { return s->retries >= TL_RETRIES_MAX; }

void sender_begin(sender *s, sender_limits limits) {
  s->limits = limits;
  if (s->limits.window > CONFIG_WINDOW) s->limits.window = CONFIG_WINDOW;
  round_trip_init(&s->estimate);
  s->retries = 0;
  s->head = 0;
  s->count = 0;
  s->in_flight = 0;
  s->next = 0;
  s->first_seq = 0;
  s->write = 0;
}

void sender_resume(sender *s) {
  s->retries = 0;
  s->next = 0;
}

void sender_heard(sender *s) {
  if (has_failed(s)) sender_resume(s);
}

/* Finds room for `length` bytes in one piece. Returns 0 when there is none. */
static int find_room(const sender *s, size_t length, uint32_t *offset) {
  uint32_t read = s->count == 0 ? 0 : oldest(s)->offset;
  *offset = s->count == 0 ? 0 : s->write;
  if (s->count > 0 && s->write <= read) return length < read - s->write;
  if (length <= CONFIG_ANSWER_BYTES - *offset) return 1;
  *offset = 0;
  return s->count == 0 ? 0 : length < read;
}

uint32_t sender_places(const sender *s, size_t length) {
  uint32_t offset;
  uint32_t waiting = s->count - s->in_flight;
  if (waiting >= TL_COMMAND_QUEUE_MAX || !find_room(s, length, &offset)) return 0;
  uint32_t places = TL_COMMAND_QUEUE_MAX - waiting;
  /*
   * A caller that asks for several places sends small payloads. Then room for two payloads of the largest
   * length is enough for all these places.
   */
  return places > 1 && !find_room(s, 2 * length, &offset) ? 1 : places;
}

int sender_put(sender *s, const uint8_t *payload, size_t length) {
  uint32_t offset;
  if (s->count - s->in_flight >= TL_COMMAND_QUEUE_MAX || !find_room(s, length, &offset)) return 0;
  sender_entry *entry = entry_at(s, s->count);
  memcpy(s->bytes + offset, payload, length);
  entry->offset = offset;
  entry->length = (uint32_t)length;
  entry->sent_at_us = 0;
  entry->sendings = 0;
  s->count++;
  s->write = offset + (uint32_t)length;
  return 1;
}

void sender_take_ack(sender *s, uint16_t ack, int nak, uint64_t now_us) {
  uint16_t acknowledged = (uint16_t)(ack - (uint16_t)(s->first_seq - 1));
  if (acknowledged > s->in_flight) return;
  if (acknowledged > 0) {
    const sender_entry *newest = entry_at(s, acknowledged - 1u);
    if (newest->sendings == 0) return;
    if (newest->sendings == 1) round_trip_measure(&s->estimate, now_us - newest->sent_at_us);
    s->head = (s->head + acknowledged) % SENDER_ENTRIES;
    s->count -= acknowledged;
    s->in_flight -= acknowledged;
    s->first_seq = (uint16_t)(s->first_seq + acknowledged);
    s->next = s->next > acknowledged ? s->next - acknowledged : 0;
    s->retries = 0;
  }
  if (nak) {
    s->naks_received++;
    s->next = 0;
  }
}

uint16_t sender_next_seq(const sender *s) { return (uint16_t)(s->first_seq + s->in_flight); }

uint64_t sender_timeout_us(const sender *s) {
  if (has_failed(s) || s->in_flight == 0 || oldest(s)->sendings == 0) return UINT64_MAX;
  return oldest(s)->sent_at_us + round_trip_timeout_us(&s->estimate);
}

static void check_timeout(sender *s, uint64_t now_us) {
  if (s->next == 0 || now_us < sender_timeout_us(s)) return;
  s->retries++;
  round_trip_back_off(&s->estimate);
  s->next = 0;
}

/* Moves entries into flight while both bounds allow it (protocol.md, "Window"). */
static void fill_window(sender *s) {
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < s->in_flight; i++) bytes += entry_at(s, i)->length + TL_FRAME_OVERHEAD_BYTES;
  while (s->in_flight < s->count && s->in_flight < s->limits.window) {
    bytes += entry_at(s, s->in_flight)->length + TL_FRAME_OVERHEAD_BYTES;
    if (s->in_flight > 0 && bytes > s->limits.in_flight_bytes) return;
    s->in_flight++;
  }
}

const sender_entry *sender_next(sender *s, uint64_t now_us, uint16_t *seq) {
  sender_entry *entry;
  check_timeout(s, now_us);
  fill_window(s);
  if (has_failed(s) || s->next >= s->in_flight) return NULL;
  *seq = (uint16_t)(s->first_seq + s->next);
  entry = entry_at(s, s->next++);
  if (entry->sendings > 0) s->retransmissions++;
  entry->sendings++;
  entry->sent_at_us = now_us;
  return entry;
}
