/*
 * Fuzzes the whole device. Build it with sanitizers:
 *
 *   thermolink-fuzz --frames N --sessions N [--seed N] [--first N] < recorded sessions
 *
 * The sessions on standard input are orders as tools/session.c takes them. A unit of frames is a batch for
 * one booted device. Its frames are recorded, damaged or random. A unit of sessions is a changed recorded
 * session: steps are left out, doubled or taken from others, and frames are rewritten or damaged. At its end
 * the device must answer a HELLO and a ping. Unit N of a seed does not depend on the units before it. A
 * failure prints the --seed, --first and counts that repeat it alone.
 */
#define _XOPEN_SOURCE 700
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../posix/hello_watch.h"
#include "../src/model.h"
#include "fuzz_check.h"
#include "fuzz_mutate.h"
#include "line.h"

#define STEPS_MAX (1 << 18)
#define SESSIONS_MAX (1 << 13)
#define POOL_BYTES (1 << 25)
#define BATCH_FRAMES 2000
/*
 * More frames than a window, all kept blocks and a full queue together. A device that sends more at once
 * would never stop.
 */
#define SAID_MAX 20000
/* A unit takes milliseconds. A unit that takes this long would never end. */
#define UNIT_SECONDS_MAX 120
#define TICKS_MAX 3000
#define LONG_BYTES 1200

typedef enum { RECEIVE, POLL, ELAPSE, ADVANCE, DISCONNECT } step_kind;

typedef struct {
  step_kind kind;
  /* The time since the previous step in µs, or a number of ticks. */
  uint64_t number;
  uint32_t offset;
  uint32_t length;
} step;

static device board_device;
static hello_watch watch;
static uint64_t now_us;
static fuzz_random dice;
static step steps[STEPS_MAX];
static uint32_t step_count;
static uint32_t session_starts[SESSIONS_MAX + 1];
static uint32_t session_count;
static uint8_t pool[POOL_BYTES];
static uint32_t pool_used;
static uint8_t chunk[FUZZ_CHUNK_BYTES];
static struct {
  const char *what;
  unsigned long long seed, unit;
} now;

uint64_t board_time_us(void) { return now_us; }

static void say_where(void) {
  char text[160];
  int length = snprintf(text, sizeof text, "\nin %s: --seed %llu --first %llu --%s 1\n", now.what, now.seed, now.unit, now.what);
  ssize_t written = write(STDERR_FILENO, text, (size_t)length);
  (void)written;
}

void fuzz_failed(const char *what) {
  fprintf(stderr, "finding: %s\n", what);
  say_where();
  _exit(3);
}

static void on_alarm(int number) {
  (void)number;
  say_where();
  _exit(4);
}

/* A function of the sanitizers; NULL in a build without them. */
extern void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void read_sessions(void) {
  uint64_t before_us = 0;
  while (line_next()) {
    const char *word = line_need();
    step *s = &steps[step_count];
    uint64_t at_us;
    if (step_count == STEPS_MAX || session_count == SESSIONS_MAX) line_fail("too many");
    if (strcmp(word, "boot") == 0) {
      session_starts[session_count++] = step_count;
      before_us = 0;
      continue;
    }
    if (session_count == 0) line_fail("the sessions must begin with `boot`");
    s->number = 0;
    s->length = 0;
    if (strcmp(word, "disconnect") == 0) s->kind = DISCONNECT;
    else if (strcmp(word, "advance") == 0) s->kind = ADVANCE, s->number = (uint64_t)line_number();
    else {
      s->kind = strcmp(word, "receive") == 0 ? RECEIVE : strcmp(word, "poll") == 0 ? POLL : ELAPSE;
      at_us = (uint64_t)line_number();
      s->number = before_us == 0 ? 0 : at_us - before_us;
      before_us = at_us;
    }
    if (s->kind == RECEIVE) {
      s->offset = pool_used;
      s->length = (uint32_t)line_hex(line_need(), pool + pool_used, sizeof pool - pool_used);
      pool_used += s->length;
    }
    step_count++;
  }
  if (step_count == 0) line_fail("no session");
  session_starts[session_count] = step_count;
}

static void boot(uint64_t unit) {
  dice.state = now.seed * UINT64_C(0x100000001b3) + unit;
  now.unit = unit;
  alarm(UNIT_SECONDS_MAX);
  now_us = 1000000;
  if (!model_init(model_profile("ideal-8"), (uint32_t)unit)) fuzz_failed("no profile");
  frame_decoder_init(&board_device.link.decoder, CONFIG_FRAME_BYTES);
  device_init(&board_device, 1);
  hello_watch_init(&watch);
}

/* Takes all frames of the device. Returns whether one of them had `opcode`. */
static int poll_all(int opcode) {
  const uint8_t *wire;
  size_t length;
  int found = 0;
  for (int said = 0; (wire = device_poll(&board_device, now_us, &length)) != NULL; said++) {
    message m;
    if (said == SAID_MAX) fuzz_failed("the device does not stop sending frames");
    if (fuzz_check_said(&board_device, wire, length, &m) == opcode) found = 1;
  }
  fuzz_check_device(&board_device);
  return found;
}

static void watch_chunk(const uint8_t *bytes, size_t length) {
  uint8_t busy[FRAME_WIRE_BYTES(TL_FRAME_BYTES_BEFORE_HELLO) + 1];
  frame_decoder decoder;
  frame_result result;
  frame f;
  int found;
  for (size_t at = 0; at < length;) {
    size_t taken = hello_watch_push(&watch, bytes + at, length - at, &found);
    if (taken == 0 || taken > length - at) fuzz_failed("hello_watch_push takes no bytes, or more than it got");
    at += taken;
    if (!found) continue;
    taken = hello_watch_busy(&watch, busy);
    frame_decoder_init(&decoder, TL_FRAME_BYTES_BEFORE_HELLO);
    frame_decoder_push(&decoder, busy + 1, taken - 1, &result, &f);
    if (result != FRAME_GOOD) fuzz_failed("hello_watch_busy does not make a good frame");
  }
}

static void give(const uint8_t *bytes, size_t length) {
  uint8_t before = board_device.state;
  /* A port may cut bytes anywhere. */
  size_t cut = length > 0 && fuzz_chance(&dice, 20) ? fuzz_below(&dice, (uint32_t)length) : 0;
  watch_chunk(bytes, length);
  fuzz_check_reading(bytes, length);
  device_receive(&board_device, bytes, cut, now_us);
  device_receive(&board_device, bytes + cut, length - cut, now_us);
  fuzz_seen.runs_started += before != TL_STATE_RUNNING && board_device.state == TL_STATE_RUNNING;
  fuzz_check_device(&board_device);
}

static size_t recorded(const step *s) {
  size_t length = s->length < sizeof chunk ? s->length : sizeof chunk;
  memcpy(chunk, pool + s->offset, length);
  return length;
}

static void take_step(const step *s, uint32_t wrong_percent) {
  size_t length;
  switch (s->kind) {
    case RECEIVE:
      now_us += s->number;
      length = recorded(s);
      if (fuzz_chance(&dice, 90)) length = fuzz_rewrite(&dice, &board_device, chunk, length, wrong_percent);
      if (fuzz_chance(&dice, wrong_percent / 3)) length = fuzz_damage(&dice, chunk, length);
      give(chunk, length);
      return;
    case POLL:
    case ELAPSE:
      now_us += s->number;
      if (fuzz_chance(&dice, wrong_percent / 6)) now_us += fuzz_next(&dice) >> (fuzz_below(&dice, 30) + 24);
      device_elapse(&board_device, now_us);
      if (s->kind == POLL) poll_all(-1);
      return;
    case ADVANCE:
      device_advance(&board_device, fuzz_chance(&dice, wrong_percent) ? fuzz_below(&dice, TICKS_MAX) : s->number);
      fuzz_check_device(&board_device);
      return;
    default:
      device_disconnect(&board_device);
      fuzz_check_device(&board_device);
  }
}

static const step *any_step(void) { return &steps[fuzz_below(&dice, step_count)]; }

/* Checks that the device answers the next host after any earlier input. */
static void must_answer(void) {
  static const uint8_t delimiter = 0;
  uint8_t nonce[TL_NONCE_BYTES];
  int is_open = 0;
  for (size_t i = 0; i < sizeof nonce; i++) nonce[i] = (uint8_t)(1 + fuzz_below(&dice, 255));
  poll_all(-1);
  give(&delimiter, 1);
  /* The device remembers fewer first bytes of nonces than there are here, so it accepts one of them. */
  for (int tries = 0; !is_open; tries++, nonce[0]++) {
    if (tries > TL_ENDED_SESSIONS_MAX + 1) fuzz_failed("HELLO is not answered");
    give(chunk, fuzz_hello(nonce, TL_FRAME_BYTES_BEFORE_HELLO, chunk));
    is_open = poll_all(TL_OP_HELLO);
  }
  give(chunk, fuzz_ping(&board_device, 1, chunk));
  if (!poll_all(TL_OP_PING)) fuzz_failed("ping is not answered");
}

static void fuzz_session(uint64_t unit) {
  static const uint32_t rates[] = {0, 5, 20, 50};
  uint32_t which, wrong_percent;
  boot(unit);
  which = fuzz_below(&dice, session_count);
  wrong_percent = rates[fuzz_below(&dice, 4)];
  for (uint32_t i = session_starts[which]; i < session_starts[which + 1]; i++) {
    if (fuzz_chance(&dice, 4)) continue;
    take_step(&steps[i], wrong_percent);
    if (fuzz_chance(&dice, 3)) take_step(&steps[i], wrong_percent);
    if (fuzz_chance(&dice, 3)) take_step(any_step(), wrong_percent);
  }
  must_answer();
}

static void fuzz_frame(void) {
  uint32_t how = fuzz_below(&dice, 100);
  const step *s = any_step();
  size_t length = 0;
  if (how < 45) length = fuzz_invent(&dice, &board_device, chunk);
  else if (how < 90) {
    while (s->kind != RECEIVE) s = any_step();
    length = recorded(s);
    if (how < 75) length = fuzz_rewrite(&dice, &board_device, chunk, length, 25);
  } else {
    /* Random bytes may be longer than the longest frame, and mostly have no zero. */
    int zeros = fuzz_chance(&dice, 30);
    for (uint32_t left = fuzz_below(&dice, LONG_BYTES); left > 0; left--)
      chunk[length++] = (uint8_t)(fuzz_next(&dice) | (zeros ? 0 : 1));
    chunk[length++] = 0;
  }
  if (fuzz_chance(&dice, 15)) length = fuzz_damage(&dice, chunk, length);
  give(chunk, length);
  now_us += fuzz_below(&dice, 300);
  if (fuzz_chance(&dice, 30)) poll_all(-1);
  if (fuzz_chance(&dice, 10)) device_advance(&board_device, fuzz_below(&dice, 60));
}

/* A session is open most of the time. Without one, all frames but HELLO would be dropped at once. */
static void fuzz_batch(uint64_t unit, uint64_t frames) {
  boot(unit);
  for (uint64_t i = 0; i < frames; i++) {
    if (i % 50 == 0 && fuzz_chance(&dice, board_device.link.session_open ? 5 : 90)) must_answer();
    fuzz_frame();
  }
  must_answer();
}

int main(int argc, char **argv) {
  unsigned long long frames = 0, sessions = 0, first = 0;
  struct sigaction action;
  now.seed = 1;
  for (int i = 1; i + 1 < argc; i += 2) {
    unsigned long long value = strtoull(argv[i + 1], NULL, 10);
    if (strcmp(argv[i], "--frames") == 0) frames = value;
    else if (strcmp(argv[i], "--sessions") == 0) sessions = value;
    else if (strcmp(argv[i], "--seed") == 0) now.seed = value;
    else if (strcmp(argv[i], "--first") == 0) first = value;
    else line_fail("not understood");
  }
  memset(&action, 0, sizeof action);
  action.sa_handler = on_alarm;
  sigaction(SIGALRM, &action, NULL);
  if (__sanitizer_set_death_callback) __sanitizer_set_death_callback(say_where);
  read_sessions();
  now.what = "frames";
  for (uint64_t done = 0; done < frames; done += BATCH_FRAMES) fuzz_batch(first + done / BATCH_FRAMES, BATCH_FRAMES);
  now.what = "sessions";
  for (uint64_t i = 0; i < sessions; i++) fuzz_session(first + i);
  fuzz_print_tally();
  return 0;
}
