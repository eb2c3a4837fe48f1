#include "calibration.h"

#include <string.h>

#include "board_hal.h"
#include "crc.h"

/* The bytes written for the next record; all other bytes are zero. */
static uint8_t draft[CONFIG_CALIBRATION_BYTES + 1];

void calibration_init(void) { memset(draft, 0, sizeof draft); }

static refusal unsupported(void) { return refused(TL_REASON_UNSUPPORTED, "this board keeps no calibration"); }

refusal calibration_read(const message_value *request, size_t room, message_value *answer) {
  uint32_t length = 0;
  const uint8_t *record = board_calibration(&length);
  uint32_t first = (uint32_t)request[TL_REQUEST_READ_CALIBRATION_FIRST_BYTE].integer;
  uint32_t count = (uint32_t)request[TL_REQUEST_READ_CALIBRATION_COUNT].integer;
  if (CONFIG_CALIBRATION_BYTES == 0) return unsupported();
  if (first > length) return refused(TL_REASON_OUT_OF_RANGE, "beyond the record");
  if (count > length - first) count = length - first;
  if (count > room) return refused(TL_REASON_OUT_OF_RANGE, "more bytes than a frame takes");
  answer[TL_ANSWER_READ_CALIBRATION_LENGTH] = value_integer(length);
  answer[TL_ANSWER_READ_CALIBRATION_CRC32] = value_integer(crc32(0, record, length));
  answer[TL_ANSWER_READ_CALIBRATION_RECORD] = value_bytes(record + first, count);
  return accepted();
}

refusal calibration_write(const message_value *request) {
  message_value record = request[TL_REQUEST_WRITE_CALIBRATION_RECORD];
  uint32_t first = (uint32_t)request[TL_REQUEST_WRITE_CALIBRATION_FIRST_BYTE].integer;
  if (CONFIG_CALIBRATION_BYTES == 0) return unsupported();
  if (first + record.length > CONFIG_CALIBRATION_BYTES)
    return refused(TL_REASON_OUT_OF_RANGE, "longer than the board keeps");
  memcpy(draft + first, record.bytes, record.length);
  return accepted();
}

refusal calibration_keep(const message_value *request) {
  uint32_t length = (uint32_t)request[TL_REQUEST_KEEP_CALIBRATION_LENGTH].integer;
  if (CONFIG_CALIBRATION_BYTES == 0) return unsupported();
  if (length > CONFIG_CALIBRATION_BYTES) return refused(TL_REASON_OUT_OF_RANGE, "longer than the board keeps");
  if (crc32(0, draft, length) != (uint32_t)request[TL_REQUEST_KEEP_CALIBRATION_CRC32].integer)
    return refused(TL_REASON_DIGEST_MISMATCH, "the record is not what was written");
  if (!board_keep_calibration(draft, length)) return refused(TL_REASON_WRONG_STATE, "the memory could not be written");
  return accepted();
}
