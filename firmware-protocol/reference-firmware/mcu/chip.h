/*
 * What main.c needs of a microcontroller beside board_time_us: its start, sleep, what it remembers, and a
 * byte channel.
 */
#ifndef CHIP_H
#define CHIP_H

#include <stddef.h>
#include <stdint.h>

/* Clocks, timer and interrupts. Called once, before everything else. */
void chip_init(void);
/*
 * Called once a turn of the main loop, at least every 100 ms: it holds the hardware watchdog off. If the host
 * has asked for the boot loader, it goes there and does not return.
 */
void chip_turn(void);
/*
 * Sleeps until an interrupt or `due_us`, unless `has_work` says that there is something to do. No interrupt
 * can come between that question and the sleep.
 */
void chip_sleep(uint64_t due_us, int (*has_work)(void));
/* Counts one power-on more in memory that keeps it. Returns how many there were, this one included. */
uint32_t chip_count_power_on(void);
/* Tells this chip from all others: at most 24 characters. */
const char *chip_serial_number(void);

/* Opens the channel. `product` and chip_serial_number are what a host sees of the device before HELLO. */
void port_init(const char *product);
/* Returns how many bytes were taken from those that have come. */
size_t port_read(uint8_t *bytes, size_t capacity);
/* Returns how many bytes the channel took. */
size_t port_write(const uint8_t *bytes, size_t length);
/* Whether somebody has opened the other end. A channel that cannot know it says yes. */
int port_is_open(void);
int port_has_input(void);
/* Whether the channel can take bytes. */
int port_has_room(void);

#endif
