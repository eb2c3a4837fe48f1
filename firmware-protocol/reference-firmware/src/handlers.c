/* Executes each command (protocol.md, "Messages"). HELLO and stop are in hello.c and dispatcher.c. */
#include "board_hal.h"
#include "bytes.h"
#include "calibration.h"
#include "device.h"
#include "program.h"

/* s₀ = 2²⁰/12 in 2⁻⁴⁸ V_fs², rounded: the variance of the error from rounding a voltage to 16 bits. */
#define CARRY_VARIANCE INT32_C(87381)
/* Largest number of bytes of an answer besides its codes, sums or record. */
#define ANSWER_OVERHEAD_BYTES 16
#define AVERAGES_OVERHEAD_BYTES 24
#define CALIBRATION_OVERHEAD_BYTES 24

static refusal moved(device *d, uint8_t input) {
  return device_input(d, input) ? accepted() : refused(TL_REASON_WRONG_STATE, "not in this state");
}

static refusal read_status(device *d, message_value *answer) {
  static uint8_t digest[4];
  put_le32(digest, board_state_digest(d->tick));
  answer[TL_ANSWER_READ_STATUS_STATE] = value_integer(d->state);
  answer[TL_ANSWER_READ_STATUS_FAULT] = value_integer(d->fault);
  answer[TL_ANSWER_READ_STATUS_NONCE] = value_bytes(d->session.nonce, TL_NONCE_BYTES);
  answer[TL_ANSWER_READ_STATUS_BOOT_EPOCH] = value_integer(d->boot_epoch);
  answer[TL_ANSWER_READ_STATUS_RUN_ID] = value_integer(d->run_id);
  answer[TL_ANSWER_READ_STATUS_TICK] = value_integer((int64_t)d->tick);
  answer[TL_ANSWER_READ_STATUS_STOP_NUMBER] = value_integer(d->session.stop_number);
  answer[TL_ANSWER_READ_STATUS_COMMITTED_BANKS] = value_integer(program_committed_banks());
  answer[TL_ANSWER_READ_STATUS_STATE_DIGEST] = value_bytes(digest, sizeof digest);
  return accepted();
}

static refusal read_counters(device *d, message_value *answer) {
  const link_counters *c = &d->link.counters;
  answer[TL_ANSWER_READ_COUNTERS_FRAMES_RECEIVED] = value_integer((int64_t)c->frames_received);
  answer[TL_ANSWER_READ_COUNTERS_FRAMES_SENT] = value_integer((int64_t)c->frames_sent);
  answer[TL_ANSWER_READ_COUNTERS_FRAMES_FAULTY] = value_integer((int64_t)c->frames_faulty);
  answer[TL_ANSWER_READ_COUNTERS_FRAMES_FOREIGN] = value_integer((int64_t)c->frames_foreign);
  answer[TL_ANSWER_READ_COUNTERS_FRAMES_DUPLICATE] = value_integer((int64_t)c->frames_duplicate);
  answer[TL_ANSWER_READ_COUNTERS_FRAMES_OUT_OF_ORDER] = value_integer((int64_t)c->frames_out_of_order);
  answer[TL_ANSWER_READ_COUNTERS_RETRANSMISSIONS] = value_integer((int64_t)d->link.commands.retransmissions);
  answer[TL_ANSWER_READ_COUNTERS_MESSAGES_REJECTED] = value_integer((int64_t)c->messages_rejected);
  answer[TL_ANSWER_READ_COUNTERS_SAMPLES_LOST] = value_integer((int64_t)device_samples_lost(d));
  answer[TL_ANSWER_READ_COUNTERS_WATCHDOG_TRIPS] = value_integer((int64_t)d->watchdog_trips);
  answer[TL_ANSWER_READ_COUNTERS_NAKS_RECEIVED] = value_integer((int64_t)d->link.commands.naks_received);
  answer[TL_ANSWER_READ_COUNTERS_NAKS_SENT] = value_integer((int64_t)c->naks_sent);
  return accepted();
}

static refusal acknowledge(device *d, message_value *answer) {
  refusal r = moved(d, TL_INPUT_ACKNOWLEDGED);
  if (r.refused) return r;
  d->fault = TL_FAULT_NONE;
  answer[TL_ANSWER_ACKNOWLEDGE_STATE] = value_integer(d->state);
  return r;
}

static refusal reset(device *d) {
  refusal r = moved(d, TL_INPUT_RESET);
  d->reset_pending = !r.refused;
  return r;
}

/* protocol.md, "Sensors and light". */
static refusal identify(const message_value *v) {
  if (!board_can_identify()) return refused(TL_REASON_UNSUPPORTED, "this board cannot show itself");
  board_identify((uint32_t)v[TL_REQUEST_IDENTIFY_DURATION_MS].integer);
  return accepted();
}

static refusal read_sensors(message_value *answer) {
  board_sensors sensors = board_read_sensors();
  answer[TL_ANSWER_READ_SENSORS_DIE_TEMPERATURE_MILLIKELVIN] = value_integer(sensors.die_temperature_millikelvin);
  answer[TL_ANSWER_READ_SENSORS_SUPPLY_MILLIVOLTS] = value_integer(sensors.supply_millivolts);
  return accepted();
}

static int is_running(const device *d, int bank) {
  return d->state == TL_STATE_RUNNING && d->presence == RUN_CURRENT && d->run.bank == bank;
}

/* The section that a write command writes. */
static int section_written(int opcode) {
  switch (opcode) {
    case TL_OP_WRITE_COUPLINGS:
      return TL_SECTION_COUPLINGS;
    case TL_OP_WRITE_DRIVE:
      return TL_SECTION_DRIVE;
    case TL_OP_WRITE_INITIAL_STATE:
      return TL_SECTION_INITIAL_STATE;
    case TL_OP_WRITE_ROW_TABLE:
      return TL_SECTION_ROW_TABLE;
    default:
      return TL_SECTION_ROW_DRIVE;
  }
}

/* Executes the commands that change a bank. A running bank is not changed (protocol.md, "Programs"). */
static refusal change_program(device *d, int opcode, const message_value *v) {
  int bank = (int)v[TL_REQUEST_DEFINE_PROGRAM_BANK].integer;
  refusal r;
  if (is_running(d, bank)) return refused(TL_REASON_BANK_BUSY, "this bank is running");
  if (opcode == TL_OP_DEFINE_PROGRAM) r = program_define(v);
  else if (opcode == TL_OP_SET_REGISTERS)
    r = program_set_registers(bank, (uint32_t)v[TL_REQUEST_SET_REGISTERS_DAMPING].integer,
                              (uint32_t)v[TL_REQUEST_SET_REGISTERS_NOISE_AMPLITUDE].integer,
                              (uint8_t)v[TL_REQUEST_SET_REGISTERS_NOISE_SHIFT].integer);
  else {
    /* All write commands have their fields at the same indices. */
    message_value codes = v[TL_REQUEST_WRITE_COUPLINGS_CODES];
    r = program_write(bank, section_written(opcode), (uint32_t)v[TL_REQUEST_WRITE_COUPLINGS_FIRST_ENTRY].integer, codes.bytes, codes.length);
  }
  return r.refused ? r : moved(d, TL_INPUT_PROGRAM_CHANGED);
}

static refusal commit(device *d, const message_value *v, message_value *answer) {
  int bank = (int)v[TL_REQUEST_COMMIT_BANK].integer;
  const program_bank *b = program_get(bank);
  refusal r = program_commit(bank, (uint32_t)v[TL_REQUEST_COMMIT_CRC32].integer,
                             (uint32_t)v[TL_REQUEST_COMMIT_CRC32C].integer);
  if (!r.refused) r = moved(d, TL_INPUT_COMMITTED);
  if (r.refused) return r;
  answer[TL_ANSWER_COMMIT_CLAMPED_COUPLINGS] = value_integer((int64_t)b->report.clamped_couplings);
  answer[TL_ANSWER_COMMIT_CLAMPED_NOISE_CODES] = value_integer(b->report.clamped_noise_codes);
  answer[TL_ANSWER_COMMIT_NOISE_CODE_MIN] = value_integer(b->report.noise_code_min);
  answer[TL_ANSWER_COMMIT_NOISE_CODE_MAX] = value_integer(b->report.noise_code_max);
  answer[TL_ANSWER_COMMIT_CARRY_VARIANCE] = value_integer((int64_t)CARRY_VARIANCE << (2 * b->program.row_attenuation));
  return r;
}

static refusal read_program(device *d, const message_value *v, message_value *answer) {
  const uint8_t *codes = NULL;
  uint32_t bytes = 0;
  refusal r = program_read((int)v[TL_REQUEST_READ_PROGRAM_BANK].integer, (int)v[TL_REQUEST_READ_PROGRAM_SECTION].integer,
                           (uint32_t)v[TL_REQUEST_READ_PROGRAM_FIRST_ENTRY].integer,
                           (uint32_t)v[TL_REQUEST_READ_PROGRAM_COUNT].integer, &codes, &bytes);
  if (r.refused) return r;
  if (bytes > link_payload_bytes_max(&d->link) - ANSWER_OVERHEAD_BYTES)
    return refused(TL_REASON_OUT_OF_RANGE, "more codes than a frame takes");
  answer[TL_ANSWER_READ_PROGRAM_CODES] = value_bytes(codes, bytes);
  return r;
}

static int passes_last_tick(const message_value *v) {
  uint64_t largest = (uint64_t)TL_SAFE_INTEGER_MAX;
  uint64_t first = (uint64_t)v[TL_REQUEST_START_FIRST_TICK].integer;
  uint64_t burn_in = (uint64_t)v[TL_REQUEST_START_BURN_IN_TICKS].integer;
  uint64_t sampling =
      (uint64_t)v[TL_REQUEST_START_SAMPLE_COUNT].integer * (uint64_t)v[TL_REQUEST_START_TICKS_PER_SAMPLE].integer;
  return sampling > largest || first + burn_in + sampling > largest;
}

/* Starts a run, or refuses in the order of protocol.md, "Start of a run". */
static refusal start(device *d, const message_value *v, message_value *answer) {
  int bank = (int)v[TL_REQUEST_START_BANK].integer;
  const program_bank *b = program_get(bank);
  refusal r;
  if (!CONFIG_AVERAGES && v[TL_REQUEST_START_STATISTICS].integer != TL_STATISTICS_SAMPLES)
    return refused(TL_REASON_UNSUPPORTED, "this board does not add up samples");
  if (!b->defined || !b->committed) return refused(TL_REASON_NOT_COMMITTED, "this bank");
  if (passes_last_tick(v)) return refused(TL_REASON_OUT_OF_RANGE, "the run would pass tick 2^53");
  if (v[TL_REQUEST_START_KEEP_BLOCKS].integer > CONFIG_BLOCKS_KEPT)
    return refused(TL_REASON_OUT_OF_RANGE, "more blocks than this board keeps");
  r = averages_check(v, b->program.cells);
  if (r.refused) return r;
  /*
   * An aborted run may not have sent its report yet. The report goes first, and one place stays free for the
   * answer to `start`.
   */
  device_report_run(d, 1);
  if (d->presence == RUN_CURRENT) return refused(TL_REASON_WRONG_STATE, "the last run is not reported yet");
  r = moved(d, TL_INPUT_STARTED);
  if (r.refused) return r;
  d->run_id = ++d->session.last_run_id;
  d->presence = RUN_CURRENT;
  run_begin(&d->run, d->run_id, v, b->program.cells, link_payload_bytes_max(&d->link));
  d->tick = run_tick(&d->run);
  if (v[TL_REQUEST_START_START_STATE].integer == TL_START_STATE_LOAD) program_load_state(bank);
  board_start(bank, (uint32_t)v[TL_REQUEST_START_RUN_SEED].integer, d->tick);
  answer[TL_ANSWER_START_RUN_ID] = value_integer(d->run_id);
  return r;
}

static refusal read_averages(device *d, const message_value *v, message_value *answer) {
  static uint8_t sums[CONFIG_FRAME_BYTES];
  const run_averages *averages = &d->run.averages;
  size_t room = link_payload_bytes_max(&d->link) - AVERAGES_OVERHEAD_BYTES;
  size_t bytes = 0;
  refusal r;
  if (!CONFIG_AVERAGES) return refused(TL_REASON_UNSUPPORTED, "this board does not add up samples");
  if (d->presence != RUN_REPORTED || v[TL_REQUEST_READ_AVERAGES_RUN_ID].integer != d->run.run_id ||
      averages->statistics == TL_STATISTICS_SAMPLES)
    return refused(TL_REASON_WRONG_STATE, "nothing was added up of this run");
  r = averages_read(averages, v, sums, room, &bytes);
  if (r.refused) return r;
  answer[TL_ANSWER_READ_AVERAGES_SAMPLES] = value_integer(averages->samples);
  answer[TL_ANSWER_READ_AVERAGES_FLAGS] = value_integer(averages->flags);
  answer[TL_ANSWER_READ_AVERAGES_SUMS] = value_bytes(sums, bytes);
  return r;
}

static refusal abort_run(device *d, const message_value *v) {
  if (v[TL_REQUEST_ABORT_RUN_ID].integer > d->session.last_run_id)
    return refused(TL_REASON_OUT_OF_RANGE, "there was no such run");
  if (d->state == TL_STATE_RUNNING && d->presence == RUN_CURRENT && v[TL_REQUEST_ABORT_RUN_ID].integer == d->run.run_id)
    return moved(d, TL_INPUT_ABORTED);
  return accepted();
}

refusal device_execute(device *d, int opcode, const message_value *values, message_value *answer, uint64_t now_us) {
  switch (opcode) {
    case TL_OP_PING:
      answer[TL_ANSWER_PING_TOKEN] = values[TL_REQUEST_PING_TOKEN];
      answer[TL_ANSWER_PING_DEVICE_TIME_US] = value_integer((int64_t)(now_us & (uint64_t)TL_SAFE_INTEGER_MAX));
      return accepted();
    case TL_OP_READ_STATUS:
      return read_status(d, answer);
    case TL_OP_READ_COUNTERS:
      return read_counters(d, answer);
    case TL_OP_ACKNOWLEDGE:
      return acknowledge(d, answer);
    case TL_OP_RESET:
      return reset(d);
    case TL_OP_DEFINE_PROGRAM:
    case TL_OP_WRITE_COUPLINGS:
    case TL_OP_WRITE_DRIVE:
    case TL_OP_WRITE_INITIAL_STATE:
    case TL_OP_WRITE_ROW_TABLE:
    case TL_OP_WRITE_ROW_DRIVE:
    case TL_OP_SET_REGISTERS:
      return change_program(d, opcode, values);
    case TL_OP_COMMIT:
      return commit(d, values, answer);
    case TL_OP_READ_PROGRAM:
      return read_program(d, values, answer);
    case TL_OP_START:
      return start(d, values, answer);
    case TL_OP_READ_AVERAGES:
      return read_averages(d, values, answer);
    case TL_OP_ABORT:
      return abort_run(d, values);
    case TL_OP_IDENTIFY:
      return identify(values);
    case TL_OP_READ_SENSORS:
      return read_sensors(answer);
    case TL_OP_READ_CALIBRATION:
      return calibration_read(values, link_payload_bytes_max(&d->link) - CALIBRATION_OVERHEAD_BYTES, answer);
    case TL_OP_WRITE_CALIBRATION:
      return calibration_write(values);
    case TL_OP_KEEP_CALIBRATION:
      /* A board receives nothing while it programs its flash. */
      if (d->state == TL_STATE_RUNNING) return refused(TL_REASON_WRONG_STATE, "not during a run");
      return calibration_keep(values);
    default:
      return refused(TL_REASON_UNKNOWN_COMMAND, "not in this firmware");
  }
}
