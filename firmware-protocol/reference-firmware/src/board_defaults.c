/* The calls of board_hal.h that a board need not implement. */
#include <string.h>

#include "board_hal.h"
#include "config.h"

/* A function of the same name in the board's own files replaces the function here. */
#define DEFAULT __attribute__((weak))

static uint8_t kept[CONFIG_CALIBRATION_BYTES + 1];
static uint32_t kept_length;

DEFAULT int board_knows_covariance(void) { return 0; }

DEFAULT int board_can_identify(void) { return 0; }

DEFAULT void board_identify(uint32_t duration_ms) { (void)duration_ms; }

DEFAULT board_sensors board_read_sensors(void) {
  board_sensors none = {0, 0};
  return none;
}

DEFAULT const uint8_t *board_calibration(uint32_t *length) {
  *length = kept_length;
  return kept;
}

DEFAULT int board_keep_calibration(const uint8_t *record, uint32_t length) {
  memcpy(kept, record, length);
  kept_length = length;
  return 1;
}
