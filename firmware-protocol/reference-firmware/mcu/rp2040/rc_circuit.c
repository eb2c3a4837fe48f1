#include "rc_circuit.h"

#include <string.h>

#include "../../src/board_hal.h"
#include "../chip.h"
#include "rp2040.h"

/*
 * Outputs are GPIO 2, 4, 6: channel A of slices 1, 2, 3. Cells are read at GPIO 26, 27, 28, which are inputs
 * 0, 1, 2 of the ADC.
 */
#define OUTPUT_PIN(cell) (2u * (cell) + 2u)
#define SLICE(cell) ((cell) + 1u)
#define FIRST_ADC_PIN 26u

/*
 * A PWM period of 2048 cycles at 125 MHz takes about as long as eight conversions of 2 µs. The mean of eight
 * readings therefore contains almost no ripple of the PWM.
 */
#define PWM_STEPS 2048
#define READINGS 8
/* Half of the supply of 3.3 V. */
#define REACH (RC_VOLT * 33 / 20)
#define ADC_MIDDLE 2048

/* After this time 10⁻⁵ of a cell's deviation remains. */
#define SETTLE_TICKS 192u
#define OFFSET_READS 32
#define OFFSET_READ_US 200u
/* To measure τ, a step is read after one τ. */
#define TAU_TICKS (1u << RC_TICK_LOG2)
/* After one τ the voltage lacks e⁻¹ of the step; e is in 2⁻¹⁶. */
#define E_Q16 178145
/* The limit allows parts of ±20 % and errors of reading. A missing part causes a larger deviation. */
#define TAU_DEVIATION_MAX (RC_VOLT / 4)
/* A converter with an error of 50 mV is broken. */
#define OFFSET_MAX (RC_VOLT / 20)
/*
 * A cell goes from rail to rail in 32 ticks at full output. Each further tick then halves the remaining
 * distance.
 */
#define CHARGE_TICKS 48

/* The readings of the converters at 0 V_fs, and 1/(1 − exp(−tick/τ)) in 2⁻¹⁰. */
static int32_t offset[RC_CELLS];
static int32_t pull[RC_CELLS];
/* The wanted voltage of an output minus its last step. */
static int32_t rest[RC_CELLS];

static int no_work(void) { return 0; }

void rc_wait_until(uint64_t us) {
  while (board_time_us() + 10 < us) chip_sleep(us, no_work);
  while (board_time_us() < us) {
  }
}

void rc_read(int32_t volts[RC_CELLS]) {
  for (uint32_t i = 0; i < RC_CELLS; i++) {
    int32_t sum = 0;
    for (int k = 0; k < READINGS; k++) {
      REG(ADC_CS) = ADC_ENABLE | ADC_START_ONE | i << ADC_INPUT_SHIFT;
      while (!(REG(ADC_CS) & ADC_READY)) {
      }
      sum += (int32_t)REG(ADC_RESULT);
    }
    /* 4096 codes are 3.3 V: a sum of eight has steps of 3.3 · 2¹⁶ / (8 · 4096) = 33/5. */
    volts[i] = (sum - READINGS * ADC_MIDDLE) * 33 / 5 - offset[i];
  }
}

int rc_drive(uint32_t cell, int32_t volts) {
  int cut = volts > REACH || volts < -REACH;
  int32_t wanted = cut ? (volts > 0 ? REACH : -REACH) : volts + rest[cell];
  int32_t step = (int32_t)(((int64_t)(wanted + REACH) * PWM_STEPS + REACH) / (2 * REACH));
  if (step < 0) step = 0;
  if (step > PWM_STEPS) step = PWM_STEPS;
  rest[cell] = cut ? 0 : wanted - (int32_t)(((int64_t)step * 2 * REACH) / PWM_STEPS - REACH);
  REG(PWM_CC(SLICE(cell))) = (uint32_t)step;
  return cut;
}

void rc_hold(int32_t volts[RC_CELLS]) {
  rc_read(volts);
  for (uint32_t i = 0; i < RC_CELLS; i++) rc_drive(i, volts[i]);
}

int32_t rc_pull(uint32_t cell, int32_t step) { return (int32_t)((int64_t)step * pull[cell] >> 10); }

void rc_charge(const int32_t target[RC_CELLS], int32_t volts[RC_CELLS]) {
  uint64_t at_us = board_time_us();
  for (int k = 0; k < CHARGE_TICKS; k++) {
    rc_read(volts);
    for (uint32_t i = 0; i < RC_CELLS; i++) rc_drive(i, volts[i] + rc_pull(i, (target[i] - volts[i]) / 2));
    rc_wait_until(at_us += RC_TICK_US);
  }
  rc_hold(volts);
}

static void drive_all(int32_t volts) {
  for (uint32_t i = 0; i < RC_CELLS; i++) rc_drive(i, volts);
}

static void open_pins(void) {
  static int is_open;
  if (is_open) return;
  is_open = 1;
  release_from_reset(RESET_PWM | RESET_ADC);
  REG(ADC_CS) = ADC_ENABLE;
  while (!(REG(ADC_CS) & ADC_READY)) {
  }
  for (uint32_t i = 0; i < RC_CELLS; i++) {
    REG(PWM_TOP(SLICE(i))) = PWM_STEPS - 1;
    REG(PWM_DIV(SLICE(i))) = PWM_DIVIDE_BY_ONE;
    REG(PWM_CC(SLICE(i))) = PWM_STEPS / 2;
    REG(PWM_CSR(SLICE(i))) = PWM_ENABLE;
    REG(GPIO_CTRL(OUTPUT_PIN(i))) = GPIO_FUNCTION_PWM;
    /* The pin is neither input nor output, and has no pull resistor. */
    REG(PAD(FIRST_ADC_PIN + i)) = PAD_OUTPUT_OFF;
  }
}

/* Outputs stay at 0 V_fs for 12 τ. The reading after that is the offset of converter and leakage. */
static void measure_offsets(void) {
  int32_t sum[RC_CELLS] = {0};
  memset(offset, 0, sizeof offset);
  memset(rest, 0, sizeof rest);
  drive_all(0);
  rc_wait_until(board_time_us() + SETTLE_TICKS * RC_TICK_US);
  for (int k = 0; k < OFFSET_READS; k++) {
    int32_t volts[RC_CELLS];
    rc_read(volts);
    for (uint32_t i = 0; i < RC_CELLS; i++) sum[i] += volts[i];
    rc_wait_until(board_time_us() + OFFSET_READ_US);
  }
  for (uint32_t i = 0; i < RC_CELLS; i++) offset[i] = sum[i] / OFFSET_READS;
}

/*
 * A step of 1 V_fs is read after T = 1 τ of the nominal parts. The part exp(−T/τ) = (1 + y)/e of the step is
 * then still missing, so τ/T is 1 + y + y²/2 up to y³. Returns whether the tolerances of the parts explain
 * all deviations.
 */
static int measure_time_constants(void) {
  int32_t volts[RC_CELLS];
  uint64_t from_us = board_time_us();
  int works = 1;
  drive_all(RC_VOLT);
  rc_wait_until(from_us + TAU_TICKS * RC_TICK_US);
  rc_read(volts);
  drive_all(0);
  for (uint32_t i = 0; i < RC_CELLS; i++) {
    int32_t y = (int32_t)((int64_t)(RC_VOLT - volts[i]) * E_Q16 >> 16) - RC_VOLT;
    int is_good = y < TAU_DEVIATION_MAX && y > -TAU_DEVIATION_MAX && offset[i] < OFFSET_MAX && offset[i] > -OFFSET_MAX;
    int32_t deviation = is_good ? y + (int32_t)((int64_t)y * y >> 17) : 0;
    /* With x = τ/tick, 1/(1 − exp(−1/x)) is x + 1/2 + 1/(12 x) up to a very small error. The term 1/(12 x) is
     * small too. */
    pull[i] = (((RC_VOLT + deviation) << RC_TICK_LOG2) + RC_VOLT / 2 + RC_VOLT / (12 << RC_TICK_LOG2)) >> 6;
    works = works && is_good;
  }
  return works;
}

int rc_power_on(void) {
  static const int32_t zero[RC_CELLS];
  int32_t volts[RC_CELLS];
  int works;
  open_pins();
  measure_offsets();
  works = measure_time_constants();
  rc_charge(zero, volts);
  return works;
}
