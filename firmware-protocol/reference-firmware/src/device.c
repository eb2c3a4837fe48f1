#include <string.h>
#include "device.h"

#include "board_hal.h"
#include "calibration.h"
#include "crc.h"
#include "program.h"

#define US_PER_MS 1000u

/*
 * Gives the link blocks first. Then it gives the number of sent blocks, if the host waits for it
 * (protocol.md, "Credits").
 */
static size_t next_sample(void *context, uint8_t *payload, size_t capacity) {
  device *d = context;
  run_state *run = &d->run;
  size_t length;
  if (d->presence == RUN_NONE) return 0;
  length = run_next_block(run, payload, capacity);
  if (length == 0 && run->position_owed) {
    message_value values[TL_FIELDS_MAX];
    run->position_owed = 0;
    values[TL_BLOCKS_SENT_RUN_ID] = value_integer(run->run_id);
    values[TL_BLOCKS_SENT_BLOCKS] = value_integer(run->blocks_sent);
    length = codec_encode(TL_OP_BLOCKS_SENT, TO_HOST, 0, values, payload, capacity);
  }
  return length;
}

void device_init(device *d, uint32_t boot_epoch) {
  link_user user;
  user.context = d;
  user.deliver = device_deliver;
  user.next_sample = next_sample;
  crc_init();
  program_init();
  calibration_init();
  board_power_on();
  d->state = TL_STATE_BOOT;
  d->fault = TL_FAULT_NONE;
  d->boot_epoch = boot_epoch;
  d->run_id = 0;
  d->tick = 0;
  d->samples_lost = 0;
  d->watchdog_trips = 0;
  d->reset_pending = 0;
  d->presence = RUN_NONE;
  session_clear(&d->session);
  memset(d->ended_sessions, 0, sizeof d->ended_sessions);
  d->ended_count = 0;
  link_init(&d->link, user);
  device_input(d, TL_INPUT_BOOTED);
  if (board_self_test()) return;
  d->fault = TL_FAULT_SELF_TEST;
  device_input(d, TL_INPUT_FAULTED);
}

void device_receive(device *d, const uint8_t *bytes, size_t length, uint64_t now_us) {
  if (!d->reset_pending) link_receive(&d->link, bytes, length, now_us);
}

int device_ready(const device *d) {
  return d->state == TL_STATE_RUNNING && d->presence == RUN_CURRENT && run_ready(&d->run);
}

uint64_t device_advance(device *d, uint64_t ticks_max) {
  uint64_t ticks;
  if (d->state != TL_STATE_RUNNING || d->presence != RUN_CURRENT) return 0;
  ticks = run_advance(&d->run, ticks_max);
  d->tick = run_tick(&d->run);
  return ticks;
}

static uint64_t watchdog_due_us(const device *d) {
  if (d->state != TL_STATE_RUNNING || d->presence != RUN_CURRENT) return UINT64_MAX;
  return d->link.last_heard_us + (uint64_t)d->run.watchdog_ms * US_PER_MS;
}

void device_elapse(device *d, uint64_t now_us) {
  if (now_us < watchdog_due_us(d)) return;
  d->watchdog_trips++;
  device_input(d, TL_INPUT_WATCHDOG_EXPIRED);
}

const uint8_t *device_poll(device *d, uint64_t now_us, size_t *length) {
  const uint8_t *bytes;
  device_elapse(d, now_us);
  device_report_run(d, 0);
  bytes = link_poll(&d->link, now_us, length);
  if (bytes == NULL && d->presence == RUN_CURRENT) {
    /*
     * The last block may just have been sent. The report of the run can then be sent (protocol.md, "End of a
     * run").
     */
    device_report_run(d, 0);
    bytes = link_poll(&d->link, now_us, length);
  }
  if (bytes == NULL && d->reset_pending) device_init(d, d->boot_epoch + 1);
  return bytes;
}

void device_disconnect(device *d) {
  if (d->reset_pending) {
    device_init(d, d->boot_epoch + 1);
    return;
  }
  device_input(d, TL_INPUT_STOPPED);
  device_drop_run(d, RUN_NONE);
  session_end(d);
  link_close_session(&d->link);
}

uint64_t device_timeout_us(const device *d) {
  uint64_t watchdog = watchdog_due_us(d);
  uint64_t link = link_timeout_us(&d->link);
  return watchdog < link ? watchdog : link;
}
