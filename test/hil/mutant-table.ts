/** The check of check-firmware.ts or check-record.ts that must find a mutant. */
export type CheckName = 'usb' | 'uart' | 'watchdog' | 'bootLoader' | 'count' | 'record';

/** A deliberate bug: in `file` below mcu/, the text `from` is replaced by `to`. */
export interface FirmwareMutant {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly check: CheckName;
}

const mutant = (name: string, file: string, check: CheckName, from: string, to: string): FirmwareMutant => ({
  name,
  file: `rp2040/${file}`,
  from,
  to,
  check,
});

export const FIRMWARE_MUTANTS: readonly FirmwareMutant[] = [
  // Start and clocks.
  mutant(
    'the last 4 KiB of the image are not copied',
    'start.c',
    'usb',
    'while (to < (volatile uint32_t *)image_end)',
    'while (to < (volatile uint32_t *)image_end - 1024)',
  ),
  mutant(
    'variables that must start at zero start at another value',
    'start.c',
    'usb',
    'for (to = bss_begin; to < (volatile uint32_t *)bss_end;) *to++ = 0;',
    'for (to = bss_begin; to < (volatile uint32_t *)bss_end;) *to++ = 0xa5a5a5a5u;',
  ),
  mutant('the vectors stay in flash', 'start.c', 'usb', 'SCB_VTOR = (uint32_t)(uintptr_t)ram_vectors;', ''),
  mutant(
    'the timer has no tick',
    'clocks.c',
    'uart',
    'REG(WATCHDOG_TICK) = CRYSTAL_MHZ | WATCHDOG_TICK_ENABLE;',
    '',
  ),
  mutant(
    'the timer ticks once in 125 cycles of the crystal',
    'clocks.c',
    'uart',
    'REG(WATCHDOG_TICK) = CRYSTAL_MHZ |',
    'REG(WATCHDOG_TICK) = 125u |',
  ),
  mutant(
    'the core runs at 96 MHz',
    'clocks.c',
    'uart',
    'start_pll(PLL_SYS, 125, 6, 2);',
    'start_pll(PLL_SYS, 96, 6, 2);',
  ),
  mutant(
    'USB runs at 60 MHz',
    'clocks.c',
    'usb',
    'start_pll(PLL_USB, 100, 5, 5);',
    'start_pll(PLL_USB, 100, 5, 4);',
  ),
  mutant(
    'the dividers of the PLLs stay off',
    'clocks.c',
    'usb',
    'CLEAR_BITS(pll + PLL_PWR) = PLL_POST_DIVIDER_DOWN;',
    '',
  ),
  mutant('USB has no clock', 'clocks.c', 'usb', 'REG(CLK_USB_CTRL) = CLK_ENABLE;', ''),
  mutant('the UART has no clock', 'clocks.c', 'uart', 'REG(CLK_PERI_CTRL) = CLK_ENABLE;', ''),
  mutant('the timer stays in reset', 'clocks.c', 'uart', '| RESET_TIMER |', '|'),
  // UART.
  mutant('the UART stays in reset', 'uart.c', 'uart', 'release_from_reset(RESET_UART0);', ''),
  mutant(
    'the receiving pin is not connected to the UART',
    'uart.c',
    'uart',
    'REG(GPIO_CTRL(1)) = GPIO_FUNCTION_UART;',
    '',
  ),
  mutant(
    'the UART makes no interrupt for received bytes',
    'uart.c',
    'uart',
    'REG(UART0_IMSC) = INT_RECEIVED | INT_RECEIVE_TIMEOUT;',
    'REG(UART0_IMSC) = 0;',
  ),
  // USB, endpoint 0.
  mutant('USB stays in reset', 'usb_cdc.c', 'usb', 'release_from_reset(RESET_USBCTRL);', ''),
  mutant(
    'the pull-up comes before the interrupts',
    'usb_cdc.c',
    'usb',
    'REG(USB_SIE_CTRL) = USB_SIE_EP0_INTERRUPTS;',
    'REG(USB_SIE_CTRL) = USB_SIE_EP0_INTERRUPTS | USB_SIE_PULLUP;',
  ),
  mutant(
    'the new USB address takes effect before the request is answered',
    'usb_control.c',
    'usb',
    'new_address = s->value & 127u;',
    'REG(USB_ADDR_ENDP) = s->value & 127u;',
  ),
  mutant(
    'the new USB address never takes effect',
    'usb_control.c',
    'usb',
    'REG(USB_ADDR_ENDP) = new_address;',
    '',
  ),
  mutant(
    'an answer is longer than the requested length',
    'usb_control.c',
    'usb',
    'answer_left = length < asked ? length : asked;',
    'answer_left = length;',
  ),
  mutant(
    'the data of a request are not taken',
    'usb_control.c',
    'usb',
    'usb_arm(USB_OUT_BUFFER(0), USB_BUFFER_DATA1 | USB_PACKET_BYTES);',
    '',
  ),
  mutant(
    'the status stage after an answer is not taken',
    'usb_control.c',
    'usb',
    'usb_arm(USB_OUT_BUFFER(0), USB_BUFFER_DATA1);',
    '',
  ),
  mutant('a stall of endpoint 0 is not armed', 'usb_control.c', 'usb', 'REG(USB_EP_STALL_ARM) = 3;', ''),
  mutant('there is no device descriptor', 'usb_control.c', 'usb', 'case DESCRIPTOR_DEVICE:', 'case 99:'),
  mutant(
    'DATA0 and DATA1 do not alternate in an answer',
    'usb_control.c',
    'usb',
    'answer_pid ^= USB_BUFFER_DATA1;',
    '',
  ),
  mutant('a reset of the bus keeps the address', 'usb_control.c', 'usb', 'REG(USB_ADDR_ENDP) = 0;', ''),
  mutant(
    'the configuration is a byte too long',
    'usb_control.c',
    'usb',
    '#define CONFIGURATION_BYTES 75',
    '#define CONFIGURATION_BYTES 76',
  ),
  mutant(
    'the length of a string leaves out its head',
    'usb_control.c',
    'usb',
    'text[0] = (uint8_t)length;',
    'text[0] = (uint8_t)(length - 2);',
  ),
  // USB, data.
  mutant(
    'DATA0 and DATA1 do not alternate in packets to the host',
    'usb_cdc.c',
    'usb',
    'in_pid ^= USB_BUFFER_DATA1;',
    '',
  ),
  mutant(
    'DATA0 and DATA1 do not alternate in packets from the host',
    'usb_cdc.c',
    'usb',
    'out_pid ^= USB_BUFFER_DATA1;',
    '',
  ),
  mutant(
    'a transfer ends with a full packet',
    'usb_cdc.c',
    'usb',
    'if (length == 0 && !in_was_full) return;',
    'if (length == 0) return;',
  ),
  mutant(
    'an endpoint whose halt is cleared does not return to DATA0',
    'usb_control.c',
    'usb',
    'if ((s->type & RECIPIENT_MASK) == RECIPIENT_ENDPOINT) usb_cdc_restart(s->index & 255u);',
    '',
  ),
  mutant(
    'a USB buffer is handed over without the wait of 12 cycles',
    'usb.h',
    'usb',
    '__asm volatile("nop\\n nop\\n nop\\n nop\\n nop\\n nop\\n nop\\n nop\\n nop\\n nop\\n nop\\n nop");',
    '',
  ),
  mutant(
    'the port never counts as open',
    'usb_cdc.c',
    'usb',
    'opened = s->value & LINE_STATE_DTR;',
    'opened = 0;',
  ),
  mutant(
    'the line coding is forgotten',
    'usb_cdc.c',
    'usb',
    'line_coding[i] = bytes[i];',
    '(void)line_coding;',
  ),
  // Watchdog, boot loader, flash.
  mutant(
    'the watchdog is not fed',
    'chip.c',
    'watchdog',
    'void chip_turn(void) {\n  watchdog_feed();',
    'void chip_turn(void) {',
  ),
  mutant(
    'the watchdog is never switched on',
    'chip.c',
    'watchdog',
    'SET_BITS(WATCHDOG_CTRL) = WATCHDOG_ENABLE;',
    '',
  ),
  mutant(
    'the watchdog restarts nothing',
    'chip.c',
    'watchdog',
    'REG(PSM_WDSEL) = PSM_ALL_BUT_OSCILLATORS;',
    '',
  ),
  mutant(
    'no speed leads to the boot loader',
    'usb_cdc.c',
    'bootLoader',
    'if (baud == BOOT_LOADER_BAUD) wants_boot_loader = 1;',
    '(void)baud;',
  ),
  mutant(
    'every speed leads to the boot loader',
    'usb_cdc.c',
    'bootLoader',
    'if (baud == BOOT_LOADER_BAUD)',
    'if (baud != 0)',
  ),
  mutant(
    'the unique number of the flash is read a byte early',
    'flash.c',
    'usb',
    '#define UNIQUE_ID_DUMMIES 4u',
    '#define UNIQUE_ID_DUMMIES 3u',
  ),
  mutant(
    'the flash does not return to execution in place',
    'flash.c',
    'count',
    'flush();\n  enter_xip();',
    'flush();\n  (void)enter_xip;',
  ),
  mutant(
    'the flash is written with interrupts on',
    'chip.c',
    'count',
    'uint32_t mask = interrupts_off();\n  uint32_t count = flash_count();',
    'uint32_t mask = 0;\n  uint32_t count = flash_count();',
  ),
  mutant(
    'two power-ons have the same count',
    'flash.c',
    'count',
    'UINT32_MAX << (bits + 1)',
    'UINT32_MAX << bits',
  ),
  mutant(
    'a full sector is erased before the other sector has the sum of the count',
    'flash.c',
    'count',
    'sector = !sector;\n    begin_sector(sector, count);',
    'begin_sector(sector, count);',
  ),
  mutant(
    'a partly written header counts as valid',
    'flash.c',
    'count',
    'return sector_words(sector)[0] == ~sector_words(sector)[1];',
    'return sector_words(sector)[0] != UINT32_MAX;',
  ),
  // Calibration record.
  mutant(
    'a record with a valid header counts as valid without a CRC of its content',
    'flash_calibration.c',
    'record',
    'return crc32(0, stored(FLASH_PAGE_BYTES), found.length) == found.crc ? found.length : 0;',
    'return found.length;',
  ),
  mutant(
    'only the first sector of the record is erased',
    'flash_calibration.c',
    'record',
    'sector * FLASH_SECTOR_BYTES < FLASH_PAGE_BYTES + length; sector++) erase(sector);',
    'sector < 1; sector++) erase(sector);',
  ),
  mutant(
    'the record lies in the sectors of the count',
    'flash.h',
    'record',
    '(FLASH_COUNT_OFFSET - FLASH_CALIBRATION_SECTORS * FLASH_SECTOR_BYTES)',
    'FLASH_COUNT_OFFSET',
  ),
  mutant(
    'the record is written with interrupts on',
    'flash_calibration.c',
    'record',
    'mask = interrupts_off();\n  flash_program_page',
    'mask = 0;\n  flash_program_page',
  ),
];
