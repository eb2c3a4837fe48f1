/*
 * Three low-passes between pins of a Pico: an output (PWM), 10 kΩ, a capacitor of 1 µF to ground, an ADC
 * pin. A voltage of 0 V_fs is half of the supply, V_fs is 1 V, and voltages are in 2⁻¹⁶ V_fs.
 */
#ifndef RC_CIRCUIT_H
#define RC_CIRCUIT_H

#include <stdint.h>

#define RC_CELLS 3
#define RC_VOLT 65536
/* τ of the nominal parts, and a tick of τ/16. */
#define RC_TAU_US 10000u
#define RC_TICK_LOG2 4
#define RC_TICK_US (RC_TAU_US >> RC_TICK_LOG2)

/*
 * Opens the pins at the first call and brings all cells to 0 V_fs. Then it measures the offset of each
 * converter and the time constant of each cell. It takes 0.2 s and needs only the circuit. Returns whether
 * each cell follows its output as the nominal parts do.
 */
int rc_power_on(void);
/* Reads the present voltages of the cells. */
void rc_read(int32_t volts[RC_CELLS]);
/*
 * Sets the mean voltage of an output. The rounding error of its 2048 steps is added to the next voltage of
 * this output. Returns whether the voltage was clamped to the range of the supply.
 */
int rc_drive(uint32_t cell, int32_t volts);
/* Sets outputs to the voltages of the cells, so the cells do not move. Returns these voltages. */
void rc_hold(int32_t volts[RC_CELLS]);
/* Brings the cells to these voltages, which takes 30 ms, and holds them. */
void rc_charge(const int32_t target[RC_CELLS], int32_t volts[RC_CELLS]);
/*
 * The distance between an output and its cell that moves the cell by `step` in a tick: step/(1 −
 * exp(−tick/τ)) with the measured τ.
 */
int32_t rc_pull(uint32_t cell, int32_t step);
/* Sleeps until that time. Interrupts are still served. */
void rc_wait_until(uint64_t us);

#endif
