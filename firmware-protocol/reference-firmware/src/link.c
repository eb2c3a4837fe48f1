#include "link.h"

#include <string.h>

/*
 * A frame whose number is at most this far before the expected one is old. All other numbers come after a
 * gap.
 */
#define HALF_OF_NUMBERS 0x8000u
/* A report, and every answer without codes, fits this. */
#define SMALL_PAYLOAD_BYTES 256

static void begin(link_state *link, int open, uint8_t session, link_limits limits) {
  sender_limits sending = {limits.window, limits.in_flight_bytes};
  link->session_open = open;
  link->session = session;
  link->frame_bytes = limits.frame_bytes;
  link->expected_seq = 0;
  link->ack_owed = 0;
  link->nak_owed = 0;
  link->nak_sent = 0;
  link->last_heard_us = 0;
  link->sample_seq = 0;
  link->stop_seq = 0;
  link->stop_length = 0;
  link->open_length = 0;
  sender_begin(&link->commands, sending);
}

static const link_limits before_hello = {TL_FRAME_BYTES_BEFORE_HELLO, 1, TL_FRAME_BYTES_BEFORE_HELLO};

void link_init(link_state *link, link_user user) {
  static const link_counters zero;
  link->user = user;
  link->counters = zero;
  link->commands.retransmissions = 0;
  link->commands.naks_received = 0;
  frame_decoder_init(&link->decoder, CONFIG_FRAME_BYTES);
  begin(link, 0, 0, before_hello);
}

void link_open_session(link_state *link, const uint8_t *nonce, link_limits limits) {
  begin(link, 1, nonce[0], limits);
}

void link_resume_session(link_state *link) { sender_resume(&link->commands); }

void link_close_session(link_state *link) { begin(link, 0, 0, before_hello); }

size_t link_payload_bytes_max(const link_state *link) { return link->frame_bytes - TL_FRAME_OVERHEAD_BYTES; }

int link_send(link_state *link, const uint8_t *payload, size_t length) {
  return sender_put(&link->commands, payload, length);
}

uint32_t link_places(const link_state *link) { return sender_places(&link->commands, SMALL_PAYLOAD_BYTES); }

void link_send_stop(link_state *link, const uint8_t *payload, size_t length) {
  memcpy(link->stop_payload, payload, length);
  link->stop_length = length;
}

void link_send_open(link_state *link, const uint8_t *payload, size_t length) {
  memcpy(link->open_payload, payload, length);
  link->open_length = length;
}

/*
 * Whether a frame of the command channel brings a message to execute. Go-back-N takes only the expected frame
 * (protocol.md, "Acknowledgements").
 */
static int accept_command(link_state *link, const frame *f) {
  if (f->seq == link->expected_seq) {
    /*
     * If there is no room for the largest answer, the frame is dropped without an acknowledgement, and the
     * host sends it again (protocol.md, "At most once").
     */
    if (sender_places(&link->commands, link_payload_bytes_max(link)) == 0) return 0;
    link->expected_seq++;
    link->ack_owed = 1;
    link->nak_sent = 0;
    return 1;
  }
  if ((uint16_t)(link->expected_seq - f->seq) <= HALF_OF_NUMBERS) {
    link->counters.frames_duplicate++;
    link->ack_owed = 1;
  } else {
    link->counters.frames_out_of_order++;
    if (!link->nak_sent) link->nak_owed = 1;
  }
  return 0;
}

/* Takes a good frame. A frame of another session is counted and dropped (protocol.md, "Frames"). */
static void take_frame(link_state *link, const frame *f, uint64_t now_us) {
  if (f->channel != TL_CHANNEL_OPEN && (!link->session_open || f->session != link->session)) {
    link->counters.frames_foreign++;
    return;
  }
  link->counters.frames_received++;
  if (f->channel != TL_CHANNEL_OPEN) {
    link->last_heard_us = now_us;
    sender_heard(&link->commands);
    sender_take_ack(&link->commands, f->ack, (f->flags & TL_FLAG_NAK) != 0, now_us);
  }
  if (f->length == 0) return;
  if (f->channel == TL_CHANNEL_COMMAND && !accept_command(link, f)) return;
  link->user.deliver(link->user.context, f->channel, f->payload, f->length, now_us);
}

void link_receive(link_state *link, const uint8_t *bytes, size_t length, uint64_t now_us) {
  while (length > 0) {
    frame_result result;
    frame f;
    size_t taken = frame_decoder_push(&link->decoder, bytes, length, &result, &f);
    bytes += taken;
    length -= taken;
    if (result == FRAME_GOOD) take_frame(link, &f, now_us);
    else if (result != FRAME_NONE) link->counters.frames_faulty++;
  }
}

/*
 * Makes a frame. A delimiter in front protects it from the rest of a frame that was cut off (protocol.md,
 * "Delimiters").
 */
static const uint8_t *emit(link_state *link, uint8_t channel, uint16_t seq, const uint8_t *payload, size_t length,
                           int behind_delimiter, size_t *wire_length) {
  size_t start = behind_delimiter ? 1 : 0;
  frame f = {channel, link->session, 0, seq, 0, payload, length};
  if (channel != TL_CHANNEL_OPEN) {
    f.ack = (uint16_t)(link->expected_seq - 1);
    if (link->nak_owed) {
      f.flags = TL_FLAG_NAK;
      link->counters.naks_sent++;
      link->nak_sent = 1;
    }
    link->nak_owed = 0;
    link->ack_owed = 0;
  }
  link->counters.frames_sent++;
  link->wire[0] = 0;
  *wire_length = start + frame_encode(&f, link->raw, link->wire + start);
  return link->wire;
}

const uint8_t *link_poll(link_state *link, uint64_t now_us, size_t *length) {
  uint8_t *room = link->raw + TL_FRAME_HEADER_BYTES;
  const sender_entry *command;
  size_t size;
  uint16_t seq;
  if (link->stop_length > 0) {
    size = link->stop_length;
    link->stop_length = 0;
    return emit(link, TL_CHANNEL_STOP, link->stop_seq++, link->stop_payload, size, 1, length);
  }
  if (link->open_length > 0) {
    size = link->open_length;
    link->open_length = 0;
    return emit(link, TL_CHANNEL_OPEN, 0, link->open_payload, size, 1, length);
  }
  if (!link->session_open) return NULL;
  command = sender_next(&link->commands, now_us, &seq);
  if (command)
    return emit(link, TL_CHANNEL_COMMAND, seq, link->commands.bytes + command->offset, command->length,
                command->sendings > 1, length);
  size = link->user.next_sample(link->user.context, room, link_payload_bytes_max(link));
  if (size > 0) return emit(link, TL_CHANNEL_SAMPLE, link->sample_seq++, room, size, 0, length);
  if (link->ack_owed || link->nak_owed)
    return emit(link, TL_CHANNEL_COMMAND, sender_next_seq(&link->commands), NULL, 0, 0, length);
  return NULL;
}

uint64_t link_timeout_us(const link_state *link) {
  return link->session_open ? sender_timeout_us(&link->commands) : UINT64_MAX;
}
