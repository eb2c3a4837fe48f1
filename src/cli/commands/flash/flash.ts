import { badArgument } from '../../../argument-checks.js';
import { parseDeviceUri } from '../../../connect.js';
import { ThermolinkError, throwIfAborted } from '../../../errors.js';
import { counted, formatBytes } from '../../../number-text.js';
import { serialTransport } from '../../../transport/serial-port.js';
import type { SerialUriAddress } from '../../../transport/serial-uri.js';
import { defineCommand, type LoadedCommand, printReport } from '../../command.js';
import { JSON_OUTPUT } from '../../options/groups.js';
import { type OptionValues, option } from '../../options/option.js';
import { decimalUpTo } from '../../options/values.js';
import { withInterrupt } from '../../output/interrupt.js';
import { WorkDisplay } from '../../output/work-display.js';
import { bootVolumes, checkVolume, mountHint, writeToVolume } from './bootsel-volume.js';
import { readUf2, type Uf2Image } from './uf2.js';

const OPTIONS = {
  device: option('--device <uri>', 'a running board on serial:, to be put into BOOTSEL mode'),
  volume: option('--volume <path>', 'the BOOTSEL volume (default: the one that is mounted)'),
  wait: option('--wait <s>', 'how long the volume may take to appear', {
    value: decimalUpTo(600),
    default: 20,
  }),
  ...JSON_OUTPUT,
};

const EXAMPLE = `
Example:
  thermolink flash thermolink-pico.uf2 --device serial:/dev/ttyACM0

With --device the port of the running board is opened at 1200 baud, which puts the board into BOOTSEL mode. If the board has
no firmware, hold BOOTSEL while you plug it in, and leave --device out. Before a byte is written, the file (magic numbers,
family RP2040, order and number of blocks, addresses) and the volume (INFO_UF2.TXT, space, permission) are checked. Programs
in the board are lost.`;

const TOUCH_BAUD = 1200;
const LOOK_AGAIN_MS = 200;

/** The functions of the machine that the command uses. Tests give a substitute. */
export interface FlashEnvironment {
  readonly volumes: () => Promise<string[]>;
  /** Asks the board on a serial port to enter BOOTSEL mode. */
  readonly touch: (address: SerialUriAddress, signal: AbortSignal) => Promise<void>;
}

export const command = flashCommand({ volumes: () => bootVolumes(), touch: touchPort });

/** Makes the command. It uses the machine only through `environment`. */
export function flashCommand(environment: FlashEnvironment): LoadedCommand {
  return defineCommand({
    arguments: [{ name: '<file>', help: 'the firmware, a UF2 file', file: 'input' }],
    options: OPTIONS,
    example: EXAMPLE,
    async run(options, name, [file]) {
      const json = options.json === true;
      const { bytes, image } = await readUf2(file);
      const display = new WorkDisplay(name, bytes.length, json);
      let report: Flashed;
      try {
        const { volume, restarted } = await withInterrupt(async (signal) => {
          const found = await volumeFor(options, environment, signal);
          await checkVolume(found, bytes.length);
          const onProgress = (written: number): void => display.update(written, 'written');
          return { volume: found, restarted: await writeToVolume(found, bytes, { signal, onProgress }) };
        });
        report = { file, volume, ...image, restarted };
      } finally {
        display.finish();
      }
      printReport({ json: report, text: flashedText(report) }, json);
    },
  });
}

interface Flashed extends Uf2Image {
  readonly file: string;
  readonly volume: string;
  /** Whether the volume has disappeared. The board removes it after the last block. */
  readonly restarted: boolean;
}

function flashedText({ blocks, flashBytes, volume, restarted }: Flashed): string {
  const next = restarted
    ? 'The board has restarted.'
    : 'The volume is still mounted. The board restarts after it has received all blocks.';
  return `${counted(blocks, 'block')} (${formatBytes(flashBytes)} of flash) written to ${volume}. ${next}\n`;
}

/**
 * Returns the path of the volume to write to. With --device, this is the volume that appears after the
 * request to the board. Errors: BAD_FILE, NO_ANSWER.
 */
async function volumeFor(
  { device, volume, wait }: OptionValues<typeof OPTIONS>,
  { volumes, touch }: FlashEnvironment,
  signal: AbortSignal,
): Promise<string> {
  if (device !== undefined && volume !== undefined)
    throw new ThermolinkError('BAD_ARGUMENT', '--device and --volume exclude each other.', {
      hint: 'Give --device if the board runs its firmware. Give --volume if the BOOTSEL volume is already mounted.',
    });
  if (volume !== undefined) return volume;
  if (device === undefined) return onlyVolume(await volumes());
  const address = parseDeviceUri(device);
  if (address.kind !== 'serial' && address.kind !== 'usb')
    throw badArgument('device', device, 'a board on serial:', 'Boards elsewhere have no BOOTSEL volume.');
  const before = new Set(await volumes());
  await touch(address, signal);
  const untilMs = performance.now() + wait * 1000;
  for (;;) {
    const [appeared] = (await volumes()).filter((place) => !before.has(place));
    if (appeared !== undefined) return appeared;
    throwIfAborted(signal);
    if (performance.now() > untilMs)
      throw new ThermolinkError(
        'NO_ANSWER',
        `No BOOTSEL volume appeared within ${wait} s of asking ${device}.`,
        {
          hint: `${mountHint()} Or hold BOOTSEL while you plug the board in, and leave --device out.`,
          retryable: true,
          data: { device },
        },
      );
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}

function onlyVolume(places: readonly string[]): string {
  if (places.length === 1) return places[0];
  if (places.length === 0)
    throw new ThermolinkError('BAD_FILE', 'No BOOTSEL volume is mounted.', {
      hint: `Hold BOOTSEL while you plug the board in. ${mountHint()} For a board that runs, pass --device.`,
    });
  throw new ThermolinkError('BAD_FILE', `Several BOOTSEL volumes are mounted: ${places.join(', ')}.`, {
    hint: 'Name one with --volume.',
    data: { volumes: places },
  });
}

/**
 * Opens the port at 1200 baud and closes it. Firmware for the RP2040 enters BOOTSEL mode when this happens.
 */
export async function touchPort(address: SerialUriAddress, signal: AbortSignal): Promise<void> {
  const port = await serialTransport.open(
    { ...address, baudRate: TOUCH_BAUD, dtr: false },
    { uri: '', signal },
  );
  // By now the board may have left the bus, and then closing fails.
  await port.close().catch(() => undefined);
}
