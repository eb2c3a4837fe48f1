/*
 * The functions that main.c needs from a microcontroller besides board_time_us: start, sleep, permanent
 * memory, and a byte channel.
 */
#ifndef CHIP_H
#define CHIP_H

#include <stddef.h>
#include <stdint.h>

/* Clocks, timer and interrupts. Called once, before everything else. */
void chip_init(void);
/*
 * Called once in each turn of the main loop, at least every 100 ms. It feeds the hardware watchdog. If the
 * host has asked for the boot loader, it starts the boot loader and does not return.
 */
void chip_turn(void);
/*
 * Sleeps until an interrupt or `due_us`, unless `has_work` says that there is something to do. No interrupt
 * can come between the call of `has_work` and the sleep.
 */
void chip_sleep(uint64_t due_us, int (*has_work)(void));
/* Adds one power-on to a count in permanent memory. Returns the new count. */
uint32_t chip_count_power_on(void);
/* A name that only this chip has: at most 24 characters. */
const char *chip_serial_number(void);

/* Opens the channel. A host sees `product` and chip_serial_number of the device before HELLO. */
void port_init(const char *product);
/* Takes bytes that have come. Returns their number. */
size_t port_read(uint8_t *bytes, size_t capacity);
/* Gives bytes to the channel. Returns how many it took. */
size_t port_write(const uint8_t *bytes, size_t length);
/* Whether a program has opened the other end. A channel that cannot know this returns yes. */
int port_is_open(void);
int port_has_input(void);
/* Whether the channel can take bytes. */
int port_has_room(void);

#endif
