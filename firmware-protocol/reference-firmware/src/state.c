/* The state machine, and what it means for the run in progress. docs/reference/protocol.md, States and Samples. */
#include "../generated/transitions.h"
#include "board_hal.h"
#include "device.h"

/* How an input ends a run; RUN_NO_OUTCOME: not at all. */
static int ending(uint8_t input) {
  switch (input) {
    case TL_INPUT_ABORTED:
      return TL_OUTCOME_ABORTED;
    case TL_INPUT_WATCHDOG_EXPIRED:
      return TL_OUTCOME_WATCHDOG;
    case TL_INPUT_FAULTED:
      return TL_OUTCOME_FAULT;
    case TL_INPUT_SESSION_OPENED:
    case TL_INPUT_STOPPED:
    case TL_INPUT_RESET:
      return TL_OUTCOME_STOPPED;
    default:
      return RUN_NO_OUTCOME;
  }
}

int device_input(device *d, uint8_t input) {
  uint8_t next = state_transitions[input][d->state];
  int outcome = ending(input);
  if (next == TL_REFUSED) return 0;
  if (outcome != RUN_NO_OUTCOME && d->state == TL_STATE_RUNNING && d->presence == RUN_CURRENT) run_end(&d->run, outcome);
  /* What a reported run keeps is the host's until something ends the matter. */
  if (outcome != RUN_NO_OUTCOME && d->presence == RUN_REPORTED) d->presence = RUN_NONE;
  if (d->state == TL_STATE_RUNNING && next != TL_STATE_RUNNING) board_stop();
  d->state = next;
  return 1;
}

void device_report_run(device *d, uint32_t places_kept) {
  run_state *run = &d->run;
  size_t length;
  if (d->presence != RUN_CURRENT || !run_drained(run) || link_places(&d->link) <= places_kept) return;
  /* What was asked for comes first, unless the run was cut short: then nobody waits for it. */
  if (run_is_whole(run) && (run->again_count > 0 || run->position_owed)) return;
  length = run_report(run, d->payload, sizeof d->payload);
  if (!link_send(&d->link, d->payload, length)) return;
  d->samples_lost += run->samples_lost;
  d->presence = RUN_REPORTED;
  if (d->state == TL_STATE_RUNNING)
    device_input(d, run->outcome == TL_OUTCOME_OVERLOAD ? TL_INPUT_OVERLOADED : TL_INPUT_COMPLETED);
}
