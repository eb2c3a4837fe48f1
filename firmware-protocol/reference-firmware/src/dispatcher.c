/*
 * Takes messages and sends answers. It identifies messages, executes a command once or each time that it
 * comes (protocol.md, "At most once"), and handles stop and refusals. The commands themselves are in
 * handlers.c.
 */
#include <string.h>

#include "device.h"

#define DETAIL_BYTES_MAX 96

static kept_answer *find_answer(session_state *session, uint32_t request_id) {
  for (uint32_t i = 0; i < session->answer_count; i++) {
    kept_answer *answer = &session->answers[(session->answer_head + i) % TL_ANSWER_CACHE_MAX];
    if (answer->request_id == request_id) return answer;
  }
  return NULL;
}

/*
 * Keeps an answer for a repeated request (protocol.md, "At most once"). A newer answer to the same request
 * replaces the older one. When all places are taken, the oldest goes.
 */
static void remember(session_state *session, uint32_t request_id, const uint8_t *payload, size_t length) {
  kept_answer *answer = find_answer(session, request_id);
  if (length > ANSWER_BYTES_MAX) return;
  if (answer == NULL) {
    answer = &session->answers[(session->answer_head + session->answer_count) % TL_ANSWER_CACHE_MAX];
    if (session->answer_count < TL_ANSWER_CACHE_MAX) session->answer_count++;
    else session->answer_head = (session->answer_head + 1) % TL_ANSWER_CACHE_MAX;
  }
  answer->request_id = request_id;
  answer->length = (uint32_t)length;
  memcpy(answer->payload, payload, length);
}

static void refuse(device *d, int opcode, uint32_t request_id, uint8_t reason, const char *detail) {
  message_value values[TL_FIELDS_MAX];
  size_t length = 0;
  while (length < DETAIL_BYTES_MAX && detail[length] != 0) length++;
  values[TL_REFUSAL_REASON] = value_integer(reason);
  values[TL_REFUSAL_OPCODE] = value_integer(opcode);
  values[TL_REFUSAL_STATE] = value_integer(d->state);
  values[TL_REFUSAL_DETAIL] = value_bytes((const uint8_t *)detail, length);
  length = codec_encode(TL_OP_REFUSAL, TO_HOST, request_id, values, d->payload, sizeof d->payload);
  remember(&d->session, request_id, d->payload, length);
  link_send(&d->link, d->payload, length);
}

static void execute(device *d, const message *m, uint64_t now_us) {
  session_state *session = &d->session;
  uint32_t request_id = (uint32_t)m->request_id;
  int once = (m->row->kind & ROW_ONCE) != 0;
  message_value answer[TL_FIELDS_MAX];
  size_t length = 0;
  refusal r;
  /* Commands count from 1; 0 is for HELLO and stop (protocol.md, "Messages that are rejected"). */
  if (request_id == 0) {
    d->link.counters.messages_rejected++;
    refuse(d, m->opcode, request_id, TL_REASON_BAD_MESSAGE, "request id 0");
    return;
  }
  /* An earlier request gets its kept answer, or `stale` (protocol.md, "At most once"). */
  if (once && request_id <= session->last_request_id) {
    const kept_answer *kept = find_answer(session, request_id);
    if (kept) link_send(&d->link, kept->payload, kept->length);
    else refuse(d, m->opcode, request_id, TL_REASON_STALE, "answered long ago");
    return;
  }
  if (request_id > session->last_request_id) session->last_request_id = request_id;
  /* A stop came before this command (protocol.md, "Stop"). */
  if (request_id <= session->cancelled_up_to) {
    refuse(d, m->opcode, request_id, TL_REASON_CANCELLED, "by a stop");
    return;
  }
  r = device_execute(d, m->opcode, m->values, answer, now_us);
  if (!r.refused) {
    size_t room = link_payload_bytes_max(&d->link);
    length = codec_encode(m->opcode, TO_HOST, request_id, answer, d->payload, room);
    if (length == 0 || !link_send(&d->link, d->payload, length)) {
      /*
       * A bug latches a fault. Outputs stay off until the host acknowledges it (protocol.md, "Errors inside
       * the device").
       */
      d->fault = TL_FAULT_INTERNAL;
      device_input(d, TL_INPUT_FAULTED);
      r = refused(TL_REASON_WRONG_STATE, "internal fault: the answer");
    }
  }
  if (r.refused) refuse(d, m->opcode, request_id, r.reason, r.detail);
  else if (once) remember(session, request_id, d->payload, length);
}

/* Executes a stop, once for each number, and answers it (protocol.md, "Stop"). */
static void stop(device *d, uint32_t request_id, const message_value *values) {
  session_state *session = &d->session;
  uint32_t number = (uint32_t)values[TL_REQUEST_STOP_STOP_NUMBER].integer;
  uint32_t last = (uint32_t)values[TL_REQUEST_STOP_LAST_REQUEST_ID].integer;
  uint8_t payload[LINK_STOP_BYTES_MAX];
  message_value answer[TL_FIELDS_MAX];
  if (memcmp(values[TL_REQUEST_STOP_NONCE].bytes, session->nonce, TL_NONCE_BYTES) != 0) return;
  if (number > session->stop_number) {
    session->stop_number = number;
    if (last > session->cancelled_up_to) session->cancelled_up_to = last;
    device_input(d, TL_INPUT_STOPPED);
  }
  answer[TL_ANSWER_STOP_STOP_NUMBER] = value_integer(number);
  answer[TL_ANSWER_STOP_STATE] = value_integer(d->state);
  link_send_stop(&d->link, payload, codec_encode(TL_OP_STOP, TO_HOST, request_id, answer, payload, sizeof payload));
}

static void take_event(device *d, const message *m) {
  const message_value *v = m->values;
  /* Both events begin with the number of the run. */
  if (d->presence == RUN_NONE || v[TL_CREDIT_RUN_ID].integer != d->run.run_id) return;
  if (m->opcode == TL_OP_CREDIT) {
    int raises = run_grant(&d->run, (uint32_t)v[TL_CREDIT_BLOCKS].integer, (uint32_t)v[TL_CREDIT_RELEASED].integer);
    /*
     * A waiting host is told how many blocks were sent, unless the run
     * is reported (protocol.md, "Credits").
     */
    if (!raises && d->presence == RUN_CURRENT) d->run.position_owed = 1;
  }
  else if (m->opcode == TL_OP_RESEND)
    run_resend(&d->run, (uint32_t)v[TL_RESEND_FIRST_BLOCK].integer, (uint32_t)v[TL_RESEND_COUNT].integer);
}

void device_deliver(void *context, uint8_t channel, const uint8_t *payload, size_t length, uint64_t now_us) {
  device *d = context;
  message m;
  codec_result result;
  /* After a reset nothing more is heard until the next boot (protocol.md, "Watchdog and reset"). */
  if (d->reset_pending) return;
  result = codec_decode(payload, length, TO_DEVICE, &m);
  /* protocol.md, "Messages that are rejected". */
  if (result != CODEC_OK) {
    d->link.counters.messages_rejected++;
    if (channel == TL_CHANNEL_COMMAND && m.opcode >= 0 && m.request_id >= 0) {
      int unknown = result == CODEC_UNKNOWN_OPCODE;
      refuse(d, m.opcode, (uint32_t)m.request_id, unknown ? TL_REASON_UNKNOWN_COMMAND : TL_REASON_BAD_MESSAGE,
             unknown ? "unknown opcode" : "a field is missing, of another type, or out of its range");
    }
    return;
  }
  if (m.row->channel != channel) d->link.counters.messages_rejected++;
  else if (!(m.row->kind & ROW_COMMAND)) take_event(d, &m);
  else if (m.opcode == TL_OP_HELLO) device_hello(d, (uint32_t)m.request_id, m.values);
  else if (m.opcode == TL_OP_STOP) stop(d, (uint32_t)m.request_id, m.values);
  else execute(d, &m, now_us);
}
