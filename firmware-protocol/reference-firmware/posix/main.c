/*
 * thermolink-device serves the reference firmware and its model board over TCP or a pseudo-terminal,
 * to one client at a time. It prints the URI to connect to, as `thermolink emulate` does, and runs
 * until SIGINT or SIGTERM.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../src/device.h"
#include "../src/model.h"
#include "../src/serve.h"
#include "calibration_file.h"
#include "entrance.h"
#include "hello_watch.h"
#include "options.h"

#define CONNECTIONS_MAX 8
/* A connection without a session is closed after this time. */
#define HELLO_TIMEOUT_US UINT64_C(10000000)
/*
 * The time that a client waits for a board that another client has. A host may connect again before the end
 * of its old connection is noticed (protocol.md, "Over TCP").
 */
#define BUSY_GRACE_US UINT64_C(100000)
/* If nobody reads the terminal, its bytes are dropped after this time, as on a wire. */
#define STALL_US UINT64_C(10000000)

typedef struct {
  int file;
  int is_line;
  uint64_t since_us;
  /* The client waits for the board until this time and then gets the answer busy. 0: it does not wait. */
  uint64_t busy_us;
  hello_watch watch;
} entrance;

static device board_device;
static entrance entrances[CONNECTIONS_MAX];
/* The client that has the board. */
static entrance *holder;
static int listener = -1;
static serve_loop loop;
static volatile sig_atomic_t interrupted;

uint64_t board_time_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

static void on_signal(int number) {
  (void)number;
  interrupted = 1;
}

static void leave(entrance *e) {
  if (holder == e) {
    holder = NULL;
    serve_disconnect(&loop);
  }
  close(e->file);
  e->file = -1;
}

/*
 * A free place. If there is none, the place of the connection that has sent no HELLO for the longest time.
 * NULL: all connections have sent HELLO.
 */
static entrance *find_place(void) {
  entrance *oldest = NULL;
  for (int i = 0; i < CONNECTIONS_MAX; i++) {
    entrance *e = &entrances[i];
    if (e->file < 0) return e;
    if (e == holder || e->is_line || e->busy_us != 0) continue;
    if (!oldest || e->since_us < oldest->since_us) oldest = e;
  }
  if (oldest) leave(oldest);
  return oldest;
}

static void add_entrance(int file, int is_line) {
  entrance *e = find_place();
  if (!e) {
    close(file);
    return;
  }
  e->file = file;
  e->is_line = is_line;
  e->since_us = board_time_us();
  e->busy_us = 0;
  hello_watch_init(&e->watch);
}

/* Makes `e` the holder, and hands its HELLO to the device. */
static void enter(entrance *e) {
  static const uint8_t delimiter = 0;
  holder = e;
  frame_decoder_init(&board_device.link.decoder, CONFIG_FRAME_BYTES);
  device_receive(&board_device, &delimiter, 1, board_time_us());
  device_receive(&board_device, e->watch.hello, e->watch.hello_length, board_time_us());
}

static void take_bytes(entrance *e, const uint8_t *bytes, size_t length) {
  int found = 0;
  if (e != holder) {
    size_t taken = hello_watch_push(&e->watch, bytes, length, &found);
    if (!found) return;
    bytes += taken;
    length -= taken;
    /* A client without a session loses the board. A reset has ended its session, or its HELLO was refused. */
    if (holder && !board_device.link.session_open) leave(holder);
    if (holder) {
      if (e->busy_us == 0) e->busy_us = board_time_us() + BUSY_GRACE_US;
      return;
    }
    enter(e);
  }
  device_receive(&board_device, bytes, length, board_time_us());
}

static entrance *first_waiting(void) {
  entrance *first = NULL;
  for (int i = 0; i < CONNECTIONS_MAX; i++) {
    entrance *e = &entrances[i];
    if (e->file >= 0 && e->busy_us != 0 && (!first || e->busy_us < first->busy_us)) first = e;
  }
  return first;
}

/*
 * Gives the board to a waiting client, or answers busy when its time is over. Returns the time at which the
 * next client is due.
 */
static uint64_t serve_waiting(uint64_t now_us) {
  for (;;) {
    entrance *e = first_waiting();
    if (!e) return UINT64_MAX;
    if (holder && now_us < e->busy_us) return e->busy_us;
    e->busy_us = 0;
    if (holder) {
      uint8_t busy[FRAME_WIRE_BYTES(TL_FRAME_BYTES_BEFORE_HELLO) + 1];
      ssize_t written = write(e->file, busy, hello_watch_busy(&e->watch, busy));
      (void)written;
      leave(e);
    } else enter(e);
  }
}

static void read_entrance(entrance *e) {
  static uint8_t chunk[65536];
  ssize_t length = read(e->file, chunk, sizeof chunk);
  if (length > 0) take_bytes(e, chunk, (size_t)length);
  else if (length == 0 || (errno != EAGAIN && errno != EINTR)) leave(e);
}

static size_t write_holder(const uint8_t *bytes, size_t length) {
  ssize_t written = write(holder->file, bytes, length);
  if (written >= 0) return (size_t)written;
  if (errno != EAGAIN && errno != EINTR) leave(holder);
  return 0;
}

static int has_holder(void) { return holder != NULL; }

/* Closes connections that sent no HELLO in time. Returns the time at which the next one is due. */
static uint64_t close_silent(uint64_t now_us) {
  uint64_t next_us = UINT64_MAX;
  for (int i = 0; i < CONNECTIONS_MAX; i++) {
    entrance *e = &entrances[i];
    uint64_t due_us = e->since_us + HELLO_TIMEOUT_US;
    if (e->file < 0 || e->is_line || (e == holder && board_device.link.session_open)) continue;
    if (now_us >= due_us) leave(e);
    else if (due_us < next_us) next_us = due_us;
  }
  return next_us;
}

static int wait_ms(uint64_t now_us, uint64_t due_us) {
  if (due_us <= now_us) return 0;
  if (due_us - now_us > UINT64_C(3600000000)) return -1;
  return (int)((due_us - now_us + 999) / 1000);
}

static void take(uint64_t due_us) {
  struct pollfd files[CONNECTIONS_MAX + 1];
  entrance *of[CONNECTIONS_MAX + 1];
  nfds_t count = 0;
  uint64_t now_us = board_time_us();
  uint64_t silent_us = close_silent(now_us);
  const entrance *before = holder;
  uint64_t busy_us = serve_waiting(now_us);
  /* A client that has just got the board is answered before the loop waits for anything. */
  if (holder && holder != before) return;
  if (silent_us < due_us) due_us = silent_us;
  if (busy_us < due_us) due_us = busy_us;
  if (listener >= 0) {
    files[count].fd = listener;
    files[count].events = POLLIN;
    of[count++] = NULL;
  }
  for (int i = 0; i < CONNECTIONS_MAX; i++) {
    if (entrances[i].file < 0) continue;
    files[count].fd = entrances[i].file;
    files[count].events = (short)(&entrances[i] == holder && loop.pending ? POLLIN | POLLOUT : POLLIN);
    of[count++] = &entrances[i];
  }
  if (poll(files, count, wait_ms(now_us, due_us)) <= 0) return;
  for (nfds_t i = 0; i < count; i++) {
    if (!(files[i].revents & (POLLIN | POLLHUP | POLLERR))) continue;
    if (!of[i]) {
      int file = entrance_accept(listener);
      if (file >= 0) add_entrance(file, 0);
    } else if (of[i]->file == files[i].fd) read_entrance(of[i]);
  }
}

int main(int argc, char **argv) {
  options o;
  char uri[512];
  serve_port port = {take, write_holder, has_holder, UINT64_MAX};
  const board_profile *profile;
  struct sigaction on_end;
  int line = -1;
  if (!options_parse(&o, argc, argv)) return 2;
  profile = model_profile(o.profile);
  if (!profile || !model_init(profile, o.die)) {
    fprintf(stderr, "%s: no such profile in this build\n", o.profile);
    return 2;
  }
  if (o.calibration_file && !calibration_file_open(o.calibration_file)) return 2;
  memset(&on_end, 0, sizeof on_end);
  on_end.sa_handler = on_signal;
  sigaction(SIGINT, &on_end, NULL);
  sigaction(SIGTERM, &on_end, NULL);
  on_end.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &on_end, NULL);
  for (int i = 0; i < CONNECTIONS_MAX; i++) entrances[i].file = -1;
  device_init(&board_device, o.boot_epoch);
  serve_init(&loop, &board_device, &port);
  if (o.pty) line = entrance_open_pty(o.pty, uri, sizeof uri);
  else listener = entrance_listen(o.tcp, uri, sizeof uri);
  if (line < 0 && listener < 0) return 1;
  /* Only a line can have no reader at its other end. A connection is open or closed. */
  if (line >= 0) {
    add_entrance(line, 1);
    port.stall_us = STALL_US;
  }
  printf("%s, die %lu, boot %lu; connect by --device\n  %s\n", profile->name, (unsigned long)o.die,
         (unsigned long)o.boot_epoch, uri);
  fflush(stdout);
  while (!interrupted) serve_turn(&loop);
  entrance_remove_link();
  return 0;
}
