/* The state machine (protocol.md, "States"), and the effects of its inputs on the run in progress. */
#include "../generated/transitions.h"
#include "board_hal.h"
#include "device.h"

/* The outcome of a run that an input ends; RUN_NO_OUTCOME if the input ends no run. */
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
  /* These inputs also release the kept blocks of a reported run (protocol.md, "Kept blocks"). */
  if (outcome != RUN_NO_OUTCOME && d->presence == RUN_REPORTED) d->presence = RUN_NONE;
  if (d->state == TL_STATE_RUNNING && next != TL_STATE_RUNNING) board_stop();
  d->state = next;
  return 1;
}

uint64_t device_samples_lost(const device *d) {
  return d->samples_lost + (d->presence == RUN_CURRENT ? d->run.samples_lost : 0);
}

void device_drop_run(device *d, run_presence left) {
  d->samples_lost = device_samples_lost(d);
  d->presence = left;
}

/* Reports a run after its last block (protocol.md, "End of a run"). */
void device_report_run(device *d, uint32_t places_kept) {
  run_state *run = &d->run;
  size_t length;
  if (d->presence != RUN_CURRENT || !run_drained(run) || link_places(&d->link) <= places_kept) return;
  /* Blocks that the host asked for go first, unless the run ended early. */
  if (run_is_whole(run) && (run->again_count > 0 || run->position_owed)) return;
  length = run_report(run, d->payload, sizeof d->payload);
  if (!link_send(&d->link, d->payload, length)) return;
  device_drop_run(d, RUN_REPORTED);
  if (d->state == TL_STATE_RUNNING)
    device_input(d, run->outcome == TL_OUTCOME_OVERLOAD ? TL_INPUT_OVERLOADED : TL_INPUT_COMPLETED);
}
