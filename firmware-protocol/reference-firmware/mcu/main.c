/*
 * The main program of every microcontroller: a byte channel, a board, the device, and the loop between them.
 */
#include "../src/board_hal.h"
#include "../src/device.h"
#include "../src/model.h"
#include "../src/serve.h"
#include "chip.h"

#ifndef PROFILE
#define PROFILE "ideal-8"
#endif
#define CHUNK_BYTES 512
/* Largest number of chunks that are taken before ticks may pass again. */
#define CHUNKS_MAX 4
/* The watchdog is served this often even if nothing happens. */
#define IDLE_US 100000
/* If an open channel takes no bytes for this time, nobody reads it. */
#define STALL_US UINT64_C(10000000)

static device board_device;
static serve_loop loop;

static int has_work(void) { return port_has_input() || (loop.pending != NULL && port_has_room()); }

static void take(uint64_t due_us) {
  static uint8_t bytes[CHUNK_BYTES];
  uint64_t now_us = board_time_us();
  size_t length;
  if (!port_has_input() && due_us > now_us) chip_sleep(due_us < now_us + IDLE_US ? due_us : now_us + IDLE_US, has_work);
  for (int chunks = 0; chunks < CHUNKS_MAX && (length = port_read(bytes, sizeof bytes)) > 0; chunks++)
    device_receive(&board_device, bytes, length, board_time_us());
}

int main(void) {
  static const serve_port port = {take, port_write, port_is_open, STALL_US};
  uint32_t power_ons;
  chip_init();
  power_ons = chip_count_power_on();
#ifdef MODEL_DIE
  model_init(model_profile(PROFILE), MODEL_DIE);
  model_name(chip_serial_number());
#endif
  device_init(&board_device, power_ons << DEVICE_RESETS_LOG2);
  serve_init(&loop, &board_device, &port);
  port_init("thermolink " PROFILE);
  for (;;) {
    serve_turn(&loop);
    chip_turn();
    /* After this many resets the next epoch belongs to another power-on (device.h). */
    while (board_device.boot_epoch >> DEVICE_RESETS_LOG2 != power_ons) power_ons = chip_count_power_on();
  }
}
