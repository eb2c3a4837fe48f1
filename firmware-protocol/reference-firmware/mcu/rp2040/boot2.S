/*
 * The second stage of the boot (datasheet 2.8.1): 256 bytes that the boot ROM copies to the end of SRAM,
 * checks by their CRC-32 and runs. They make the flash readable in place by the one command that every serial
 * flash knows (03h, 24 bits of address), and start the image behind them.
 *
 * The ring oscillator still drives the core, with at most 12 MHz. Half of this rate is slow enough for every
 * flash. This setting is not used after the clocks are faster: the image runs from RAM, and flash.c uses the
 * setting of the boot ROM.
 */
  .syntax unified
  .cpu cortex-m0plus
  .thumb
  .section .boot2, "ax"
  .global boot2
  .thumb_func
boot2:
  ldr r3, =0x18000000      /* SSI (4.10) */
  movs r0, #0
  str r0, [r3, #0x08]      /* SSIENR: off while it is set */
  movs r1, #2
  str r1, [r3, #0x14]      /* BAUDR: half the core's clock */
  ldr r1, =0x001f0300      /* CTRLR0: one line, frames of 32 bits, EEPROM read */
  str r1, [r3, #0x00]
  str r0, [r3, #0x04]      /* CTRLR1: one frame a read */
  ldr r1, =0x03000218      /* SPI_CTRLR0: command 03h of 8 bits, 24 bits of address */
  ldr r2, =0x180000f4
  str r1, [r2]
  movs r0, #1
  str r0, [r3, #0x08]
  ldr r0, =0x10000100      /* the vectors behind these 256 bytes */
  ldr r1, =0xe000ed08      /* VTOR */
  str r0, [r1]
  ldr r1, [r0]
  msr msp, r1
  ldr r1, [r0, #4]
  bx r1
  .ltorg
