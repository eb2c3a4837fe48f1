/*
 * HELLO: opens or resumes a session, and describes the board to the host (protocol.md, "Opening a session").
 */
#include <string.h>

#include "board_hal.h"
#include "device.h"

static const uint8_t table_hash[8] = TL_TABLE_HASH;

static message_value text(const char *characters) {
  size_t length = 0;
  while (characters[length] != 0) length++;
  return value_bytes((const uint8_t *)characters, length);
}

static int is_zero(const uint8_t *bytes, size_t length) {
  uint8_t any = 0;
  for (size_t i = 0; i < length; i++) any |= bytes[i];
  return any == 0;
}

/*
 * Whether both ends can speak one version (protocol.md, "Versions"). A host of another minor version is
 * accepted. A host of the same version must have the same tables.
 */
static int same_version(const message_value *values) {
  return values[TL_REQUEST_HELLO_MAJOR].integer == TL_PROTOCOL_MAJOR &&
         (values[TL_REQUEST_HELLO_MINOR].integer != TL_PROTOCOL_MINOR ||
          memcmp(values[TL_REQUEST_HELLO_TABLE_HASH].bytes, table_hash, sizeof table_hash) == 0);
}

/*
 * Whether the first byte of a nonce is that of the open session, or of a session that has ended lately.
 * Frames carry only the first byte, so late frames of that session would be taken for frames of the new
 * session (protocol.md, "Nonces").
 */
static int begins_like_another(const device *d, const uint8_t *nonce) {
  if (!is_zero(d->session.nonce, TL_NONCE_BYTES) && d->session.nonce[0] == nonce[0]) return 1;
  for (size_t i = 0; i < TL_ENDED_SESSIONS_MAX; i++)
    if (!is_zero(d->ended_sessions[i], TL_NONCE_BYTES) && d->ended_sessions[i][0] == nonce[0]) return 1;
  return 0;
}

void session_clear(session_state *session) {
  memset(session->nonce, 0, sizeof session->nonce);
  session->last_run_id = 0;
  session->last_request_id = 0;
  session->stop_number = 0;
  session->cancelled_up_to = 0;
  session->answer_head = 0;
  session->answer_count = 0;
}

void session_end(device *d) {
  if (!is_zero(d->session.nonce, TL_NONCE_BYTES))
    memcpy(d->ended_sessions[d->ended_count++ % TL_ENDED_SESSIONS_MAX], d->session.nonce, TL_NONCE_BYTES);
  session_clear(&d->session);
}

static void refuse(device *d, uint32_t request_id, message_value nonce, int reason) {
  uint8_t payload[LINK_OPEN_BYTES_MAX];
  message_value values[TL_FIELDS_MAX];
  values[TL_HELLO_REFUSED_NONCE] = nonce;
  values[TL_HELLO_REFUSED_REASON] = value_integer(reason);
  values[TL_HELLO_REFUSED_MAJOR] = value_integer(TL_PROTOCOL_MAJOR);
  values[TL_HELLO_REFUSED_MINOR] = value_integer(TL_PROTOCOL_MINOR);
  values[TL_HELLO_REFUSED_TABLE_HASH] = value_bytes(table_hash, sizeof table_hash);
  link_send_open(&d->link, payload,
                 codec_encode(TL_OP_HELLO_REFUSED, TO_HOST, request_id, values, payload, sizeof payload));
}

/* The features of the board that a host of this minor version knows (protocol.md, "Versions"). */
static int features_for(int64_t minor) {
  const board_profile *p = board_get_profile();
  int features = (p->has_dense ? TL_FEATURE_DENSE : 0) + (p->has_factored ? TL_FEATURE_FACTORED : 0) + TL_FEATURE_HOLD;
  if (minor == 0) return features;
  if (CONFIG_ROW_ELEMENT && p->has_row_element) features += TL_FEATURE_ROW_ELEMENT;
  if (CONFIG_AVERAGES) features += TL_FEATURE_AVERAGES;
  if (board_knows_covariance()) features += TL_FEATURE_KNOWN_COVARIANCE;
  return board_can_identify() ? features + TL_FEATURE_IDENTIFY : features;
}

static void describe(const device *d, int64_t host_minor, message_value *values) {
  const board_profile *p = board_get_profile();
  values[TL_ANSWER_HELLO_MAJOR] = value_integer(TL_PROTOCOL_MAJOR);
  values[TL_ANSWER_HELLO_MINOR] = value_integer(TL_PROTOCOL_MINOR);
  values[TL_ANSWER_HELLO_TABLE_HASH] = value_bytes(table_hash, sizeof table_hash);
  values[TL_ANSWER_HELLO_FRAME_BYTES] = value_integer(CONFIG_FRAME_BYTES);
  values[TL_ANSWER_HELLO_WINDOW] = value_integer(CONFIG_WINDOW);
  values[TL_ANSWER_HELLO_MODEL] = text(p->name);
  values[TL_ANSWER_HELLO_SERIAL_NUMBER] = text(board_serial_number());
  values[TL_ANSWER_HELLO_FIRMWARE_VERSION] = text(CONFIG_FIRMWARE_VERSION);
  values[TL_ANSWER_HELLO_BOOT_EPOCH] = value_integer(d->boot_epoch);
  values[TL_ANSWER_HELLO_CELLS] = value_integer(p->cells);
  values[TL_ANSWER_HELLO_ROWS] = value_integer(p->has_factored ? p->rows : 0);
  values[TL_ANSWER_HELLO_BANKS] = value_integer(TL_BANKS);
  values[TL_ANSWER_HELLO_COUPLING_BITS] = value_integer(p->coupling_bits);
  values[TL_ANSWER_HELLO_DRIVE_BITS] = value_integer(p->drive_bits);
  values[TL_ANSWER_HELLO_ADC_BITS] = value_integer(p->adc_bits);
  values[TL_ANSWER_HELLO_TAU_NS] = value_integer(p->tau_ns);
  values[TL_ANSWER_HELLO_TICK_LOG2] = value_integer(p->tick_log2);
  values[TL_ANSWER_HELLO_FULL_SCALE_MICROVOLTS] = value_integer(p->full_scale_microvolts);
  values[TL_ANSWER_HELLO_RAIL] = value_integer(p->rail);
  values[TL_ANSWER_HELLO_DRIVE_RANGE] = value_integer(p->drive_range);
  values[TL_ANSWER_HELLO_NOISE_SHIFT_MIN] = value_integer(TL_NOISE_SHIFT_MIN);
  values[TL_ANSWER_HELLO_NOISE_SHIFT_MAX] = value_integer(TL_NOISE_SHIFT_MAX);
  values[TL_ANSWER_HELLO_NOISE_TEMPERATURE_MIN] = value_integer(p->noise_temperature_min);
  values[TL_ANSWER_HELLO_ROW_SCALE_MAX] = value_integer(TL_ROW_SCALE_MAX);
  values[TL_ANSWER_HELLO_IN_FLIGHT_BYTES] = value_integer(CONFIG_IN_FLIGHT_BYTES);
  values[TL_ANSWER_HELLO_ANSWER_CACHE] = value_integer(TL_ANSWER_CACHE_MAX);
  values[TL_ANSWER_HELLO_FEATURES] = value_integer(features_for(host_minor));
  values[TL_ANSWER_HELLO_KEEP_BLOCKS_MAX] = value_integer(CONFIG_BLOCKS_KEPT);
  values[TL_ANSWER_HELLO_MOMENT_CELLS_MAX] = value_integer(CONFIG_AVERAGES ? CONFIG_MOMENT_CELLS : 0);
  values[TL_ANSWER_HELLO_CALIBRATION_BYTES_MAX] = value_integer(CONFIG_CALIBRATION_BYTES);
}

static void open_session(device *d, const message_value *values) {
  const uint8_t *nonce = values[TL_REQUEST_HELLO_NONCE].bytes;
  int64_t frame_bytes = values[TL_REQUEST_HELLO_FRAME_BYTES].integer;
  int64_t window = values[TL_REQUEST_HELLO_WINDOW].integer;
  link_limits limits;
  limits.frame_bytes = (uint32_t)(frame_bytes < CONFIG_FRAME_BYTES ? frame_bytes : CONFIG_FRAME_BYTES);
  limits.window = (uint32_t)(window < CONFIG_WINDOW ? window : CONFIG_WINDOW);
  limits.in_flight_bytes = CONFIG_IN_FLIGHT_BYTES;
  device_input(d, TL_INPUT_SESSION_OPENED);
  device_drop_run(d, RUN_NONE);
  d->run_id = 0;
  session_end(d);
  memcpy(d->session.nonce, nonce, TL_NONCE_BYTES);
  link_open_session(&d->link, nonce, limits);
}

void device_hello(device *d, uint32_t request_id, const message_value *values) {
  message_value nonce = values[TL_REQUEST_HELLO_NONCE];
  uint8_t payload[LINK_OPEN_BYTES_MAX];
  message_value answer[TL_FIELDS_MAX];
  int resumed = d->link.session_open && memcmp(nonce.bytes, d->session.nonce, TL_NONCE_BYTES) == 0;
  int opens = values[TL_REQUEST_HELLO_PURPOSE].integer == TL_PURPOSE_OPEN;
  if (is_zero(nonce.bytes, TL_NONCE_BYTES)) {
    d->link.counters.messages_rejected++;
    return;
  }
  if (!same_version(values)) {
    refuse(d, request_id, nonce, TL_REASON_VERSION);
    return;
  }
  if (!resumed && opens && begins_like_another(d, nonce.bytes)) {
    refuse(d, request_id, nonce, TL_REASON_STALE);
    return;
  }
  /* protocol.md, "Resuming a session". */
  if (resumed) link_resume_session(&d->link);
  else if (opens) open_session(d, values);
  describe(d, values[TL_REQUEST_HELLO_MINOR].integer, answer);
  answer[TL_ANSWER_HELLO_NONCE] = nonce;
  answer[TL_ANSWER_HELLO_RESUMED] = value_integer(resumed);
  link_send_open(&d->link, payload, codec_encode(TL_OP_HELLO, TO_HOST, request_id, answer, payload, sizeof payload));
}
