/*
 * The device as its bytes show it: (board, bytes, time, ticks) → bytes. No I/O, no clock: whoever drives it hands in bytes and
 * the time, lets ticks pass in slices, and takes what it says.
 */
#ifndef DEVICE_H
#define DEVICE_H

#include "codec.h"
#include "link.h"
#include "refusal.h"
#include "run.h"

/* Answers that are kept have no codes: they and refusals fit this. */
#define ANSWER_BYTES_MAX 128

typedef struct {
  uint32_t request_id;
  uint32_t length;
  uint8_t payload[ANSWER_BYTES_MAX];
} kept_answer;

/* What belongs to one session and is forgotten with it. */
typedef struct {
  uint8_t nonce[TL_NONCE_BYTES];
  uint32_t last_run_id;
  uint32_t last_request_id;
  uint32_t stop_number;
  /* Requests up to this one were cancelled by a stop. */
  uint32_t cancelled_up_to;
  /* A ring, oldest first. */
  kept_answer answers[TL_ANSWER_CACHE_MAX];
  uint32_t answer_head;
  uint32_t answer_count;
} session_state;

/* Whether `run` is in progress or waits for its report, is the last that was reported, or is none. */
typedef enum { RUN_NONE, RUN_CURRENT, RUN_REPORTED } run_presence;

typedef struct {
  uint8_t state;
  uint8_t fault;
  uint32_t boot_epoch;
  uint32_t run_id;
  /* Number of the tick that comes next. */
  uint64_t tick;
  uint64_t samples_lost;
  uint64_t watchdog_trips;
  int reset_pending;
  session_state session;
  /* Nonces of sessions that have ended, a ring; all zero is none. */
  uint8_t ended_sessions[TL_ENDED_SESSIONS_MAX][TL_NONCE_BYTES];
  uint32_t ended_count;
  run_presence presence;
  run_state run;
  link_state link;
  /* Messages of the command channel are put together here. */
  uint8_t payload[CONFIG_FRAME_BYTES];
} device;

/* Boots. The board must be there (board_hal.h). */
void device_init(device *d, uint32_t boot_epoch);
/* Bytes from the host. */
void device_receive(device *d, const uint8_t *bytes, size_t length, uint64_t now_us);
/* The next bytes to the host, good until the next call; NULL when there is nothing to say now. */
const uint8_t *device_poll(device *d, uint64_t now_us, size_t *length);
/* Whether device_advance would let ticks pass or end a run. */
int device_ready(const device *d);
/* One slice: at most `ticks_max` ticks; how many passed. */
uint64_t device_advance(device *d, uint64_t ticks_max);
/* Time passes without bytes: the watchdog is served. device_poll does it too. */
void device_elapse(device *d, uint64_t now_us);
/* The host has gone, as a connection tells that was closed. */
void device_disconnect(device *d);
/* When device_poll must be called again even if nothing arrives; UINT64_MAX: never. */
uint64_t device_timeout_us(const device *d);

/* Parts of the device that share its state. */

/* state.c: moves the state machine; a run that the input ends is ended with it. False where the table refuses. */
int device_input(device *d, uint8_t input);
/* state.c: sends the report of a run that has ended, as far as there is room; `places_kept` places stay free. */
void device_report_run(device *d, uint32_t places_kept);
/* hello.c */
void device_hello(device *d, uint32_t request_id, const message_value *values);
/* dispatcher.c: takes one message; `context` is the device. */
void device_deliver(void *context, uint8_t channel, const uint8_t *payload, size_t length, uint64_t now_us);
void session_clear(session_state *session);
/* The session in progress, if there is one, is over: its nonce is remembered. */
void session_end(device *d);
/* handlers.c: executes a command; on success `answer` is filled. */
refusal device_execute(device *d, int opcode, const message_value *values, message_value *answer, uint64_t now_us);

#endif
