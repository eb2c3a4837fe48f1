/*
 * The device as a function: (board, bytes, time, ticks) → bytes. It does no input or output and has no clock.
 * The caller hands in bytes and the time, lets ticks pass in slices, and writes the bytes that come out.
 */
#ifndef DEVICE_H
#define DEVICE_H

#include "codec.h"
#include "link.h"
#include "refusal.h"
#include "run.h"

/*
 * The largest size of a kept answer. Refusals, and answers to commands that are executed at most once, are
 * kept. All of them are shorter than this.
 */
#define ANSWER_BYTES_MAX 128

typedef struct {
  uint32_t request_id;
  uint32_t length;
  uint8_t payload[ANSWER_BYTES_MAX];
} kept_answer;

/* What belongs to one session and is forgotten with it (protocol.md, "Opening a session"). */
typedef struct {
  uint8_t nonce[TL_NONCE_BYTES];
  uint32_t last_run_id;
  uint32_t last_request_id;
  uint32_t stop_number;
  /* The last request that a stop has cancelled (protocol.md, "Stop"). */
  uint32_t cancelled_up_to;
  /* A ring of the kept answers, oldest first (protocol.md, "At most once"). */
  kept_answer answers[TL_ANSWER_CACHE_MAX];
  uint32_t answer_head;
  uint32_t answer_count;
} session_state;

/* What `run` holds: no run, a run that is not reported yet, or the last reported run. */
typedef enum { RUN_NONE, RUN_CURRENT, RUN_REPORTED } run_presence;

typedef struct {
  uint8_t state;
  uint8_t fault;
  uint32_t boot_epoch;
  uint32_t run_id;
  /* Number of the tick that comes next. */
  uint64_t tick;
  /* Samples that earlier runs have lost; device_samples_lost adds those of the run in progress. */
  uint64_t samples_lost;
  uint64_t watchdog_trips;
  int reset_pending;
  session_state session;
  /* A ring of the nonces of ended sessions; all zero stands for none (protocol.md, "Nonces"). */
  uint8_t ended_sessions[TL_ENDED_SESSIONS_MAX][TL_NONCE_BYTES];
  uint32_t ended_count;
  run_presence presence;
  run_state run;
  link_state link;
  /* The buffer in which messages of the command channel are built. */
  uint8_t payload[CONFIG_FRAME_BYTES];
} device;

/*
 * A board that counts its power-ons gives device_init `power_ons << DEVICE_RESETS_LOG2`: each reset by the
 * host adds 1 to the boot epoch, and no epoch comes twice. If resets have used up the epochs of one power-on,
 * the board counts one more power-on.
 */
#define DEVICE_RESETS_LOG2 10

/*
 * Boots the device: calls board_power_on, then board_self_test. If the self-test fails, the device is in the
 * state `fault` from the beginning.
 */
void device_init(device *d, uint32_t boot_epoch);
/* Takes bytes from the host. */
void device_receive(device *d, const uint8_t *bytes, size_t length, uint64_t now_us);
/* Returns the next bytes to the host, or NULL when there are none now. They are valid until the next call. */
const uint8_t *device_poll(device *d, uint64_t now_us, size_t *length);
/* Whether device_advance would let ticks pass or end a run. */
int device_ready(const device *d);
/* Lets at most `ticks_max` ticks pass. Returns how many passed. */
uint64_t device_advance(device *d, uint64_t ticks_max);
/* Serves the watchdog when no bytes come (protocol.md, "Watchdog and reset"). device_poll does it too. */
void device_elapse(device *d, uint64_t now_us);
/* Ends the session, because the connection was closed (protocol.md, "One client at a time"). */
void device_disconnect(device *d);
/* The time at which device_poll must be called even if nothing arrives; UINT64_MAX: never. */
uint64_t device_timeout_us(const device *d);

/* The calls below are between the source files of the device. */

/*
 * state.c: gives the state machine an input, and ends the run in progress if the input ends runs. Returns 0
 * when the table of states refuses the input.
 */
int device_input(device *d, uint8_t input);
/*
 * state.c: queues the report of a finished run, if more than `places_kept` places of the link's queue are
 * free.
 */
void device_report_run(device *d, uint32_t places_kept);
/* state.c: how many samples were skipped for lack of credit since boot, including the run in progress. */
uint64_t device_samples_lost(const device *d);
/* state.c: forgets the run. The samples that it has lost stay counted. */
void device_drop_run(device *d, run_presence left);
/* dispatcher.c: takes one message; `context` is the device. */
void device_deliver(void *context, uint8_t channel, const uint8_t *payload, size_t length, uint64_t now_us);
/* hello.c: executes HELLO. */
void device_hello(device *d, uint32_t request_id, const message_value *values);
/* hello.c: makes a session empty, without a nonce. */
void session_clear(session_state *session);
/* hello.c: ends the session, if there is one, and remembers its nonce. */
void session_end(device *d);
/* handlers.c: executes a command. On success it fills `answer`. */
refusal device_execute(device *d, int opcode, const message_value *values, message_value *answer, uint64_t now_us);

#endif
