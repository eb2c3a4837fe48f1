/*
 * Three low-passes between pins of a Pico: an output (PWM), 10 kΩ, a capacitor of 1 µF to ground, an ADC
 * pin. A voltage of 0 V_fs is half of the supply, V_fs is 1 V, and voltages are in 2⁻¹⁶ V_fs.
 */
#ifndef RC_CIRCUIT_H
#define RC_CIRCUIT_H

#include <stdint.h>

#define RC_CELLS 3
#define RC_VOLT 65536
/* τ of the parts as they are named, and a tick of τ/16. */
#define RC_TAU_US 10000u
#define RC_TICK_LOG2 4
#define RC_TICK_US (RC_TAU_US >> RC_TICK_LOG2)

/*
 * Opens the pins at the first call, brings all cells to 0 V_fs, and measures what each converter reads
 * there and how fast each cell is. Takes 0.2 s. It needs nothing but the circuit. Returns whether each cell
 * follows its output as the parts say.
 */
int rc_power_on(void);
/* The voltages now. */
void rc_read(int32_t volts[RC_CELLS]);
/*
 * Sets the mean voltage of an output. What its 2048 steps leave over is added to its next voltage. Returns
 * whether it was cut to the supply.
 */
int rc_drive(uint32_t cell, int32_t volts);
/* Outputs that do not move the cells. Returns their voltages. */
void rc_hold(int32_t volts[RC_CELLS]);
/* Brings the cells to these voltages, which takes 30 ms, and holds them. */
void rc_charge(const int32_t target[RC_CELLS], int32_t volts[RC_CELLS]);
/*
 * How far an output must lie beyond a cell to move it by `step` in a tick: step/(1 − exp(−tick/τ)), τ as
 * measured.
 */
int32_t rc_pull(uint32_t cell, int32_t step);
/* Sleeps until then; interrupts are served. */
void rc_wait_until(uint64_t us);

#endif
