import type { Device } from '../driver/device.js';
import type { Lucidac } from '../lucidac/lucidac.js';
import { counted } from '../number-text.js';
import { defineCommand, type LoadedCommand, printReport, type Report } from './command.js';
import type { DeviceOptions } from './device.js';
import { type CALIBRATION, deviceOption, JSON_OUTPUT, LOG, RECORD, RETRY } from './options/groups.js';
import type { OptionSpecs, OptionValues } from './options/option.js';
import { withInterrupt } from './output/interrupt.js';
import { WorkDisplay } from './output/work-display.js';

const FITTING = 'the smallest ideal emulated board that fits';

type SharedOptions = ReturnType<typeof deviceOption> &
  typeof JSON_OUTPUT &
  typeof RETRY &
  typeof RECORD &
  typeof LOG;

/** Options of some of these commands; recordings store their values. */
type SomeOptions = Partial<OptionValues<typeof CALIBRATION>>;

export interface BoardCommandDefinition<S extends OptionSpecs> {
  /**
   * The options of this command. `--device`, `--json`, `--no-retry`, `--record`, `--log-level` and others are
   * added.
   */
  readonly options: S;
  readonly example: string;
  /**
   * The board that is used if neither `--device` nor the environment names one. The default is the smallest
   * ideal emulated board that fits.
   */
  readonly fallback?: string;
  /**
   * Reads the inputs, uses the board by `onBoard`, writes the outputs, and returns the report to print.
   * `onLucidac` is defined if the device is a LUCIDAC. A command that cannot use a LUCIDAC calls `onBoard`,
   * which refuses it.
   */
  readonly run: (
    options: OptionValues<S & SharedOptions>,
    onBoard: OnBoard,
    onLucidac: OnLucidac | undefined,
  ) => Promise<Report>;
}

/** Connects to the board, works on it behind a progress bar, and closes it whatever happens. */
export type OnBoard = On<Device>;

/** Connects to a LUCIDAC, works on it behind a progress bar, and closes it whatever happens. */
export type OnLucidac = On<Lucidac>;

type On<Opened> = <T>(
  work: (opened: Opened, use: BoardUse) => Promise<T>,
  needs?: BoardNeeds,
) => Promise<Worked<T>>;

/** Connects, works and closes, whatever happens. */
type WithOpened<Opened> = <T>(
  uri: string,
  options: DeviceOptions,
  signal: AbortSignal,
  work: (opened: Opened) => Promise<T>,
) => Promise<T>;

export interface BoardNeeds {
  /** Cells that the emulated board must have, for a command without a `fallback`. */
  readonly cells?: number;
  /** The progress counts up to this. Default 1, for a share of the whole. */
  readonly total?: number;
  /**
   * The board to use in place of the one that `--device` names, for a command that uses several one after
   * another.
   */
  readonly uri?: string;
  /** The number of that board, from 1. The recording of the second one is `session-2.mcap`. */
  readonly boardNumber?: number;
}

export interface BoardUse {
  /** The URI of the device. */
  readonly uri: string;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Moves the progress bar, which appears with the first call. */
  readonly show: (done: number, what: string) => void;
}

export interface Worked<T> {
  readonly result: T;
  /** The URI of the device that was used. */
  readonly device: string;
  /** From connecting to the end of the work. */
  readonly hostSeconds: number;
  /** How often something that was lost was done again. */
  readonly repeats: number;
}

/**
 * A command that works on one board. This function does what is common to all of them: the shared options,
 * the check of files, Ctrl-C, the device and its log, the progress bar, the time, and printing as text or
 * JSON.
 */
export function boardCommand<S extends OptionSpecs>(definition: BoardCommandDefinition<S>): LoadedCommand {
  const { fallback } = definition;
  const options: S & SharedOptions = {
    ...definition.options,
    ...deviceOption(fallback ?? FITTING),
    ...JSON_OUTPUT,
    ...RETRY,
    ...RECORD,
    ...LOG,
  };
  return defineCommand({
    options,
    example: definition.example,
    async run(values, name) {
      const shared = values as OptionValues<SharedOptions> & SomeOptions;
      const json = shared.json === true;
      // `--help` needs none of these modules, and they take longer to load than all others together.
      const [
        { deviceFile, deviceUri, isLucidac, recordOf, withDevice },
        { fittingEmulator },
        { checkFiles },
      ] = await Promise.all([
        import('./device.js'),
        import('../serve/emulator-transport.js'),
        import('./input/check-files.js'),
      ]);
      await checkFiles(options, values, { '--device': deviceFile(shared.device) });
      const through =
        <Opened>(withOpened: WithOpened<Opened>, signal: AbortSignal): On<Opened> =>
        async (work, { cells = 1, total = 1, uri, boardNumber = 1 } = {}) => {
          const device = uri ?? deviceUri(shared.device, fallback ?? fittingEmulator(cells));
          const record = recordOf(shared.record, boardNumber);
          const display = new WorkDisplay(name, total, json);
          const startMs = performance.now();
          try {
            let repeats = 0;
            const onRepeat = (): void => void repeats++;
            const show = (done: number, what: string): void =>
              display.update(done, repeats === 0 ? what : `${what}, ${counted(repeats, 'repeat')}`);
            const result = await withOpened(device, { ...shared, record, onRepeat }, signal, (opened) =>
              work(opened, { uri: device, signal, show }),
            );
            return { result, device, hostSeconds: (performance.now() - startMs) / 1000, repeats };
          } finally {
            display.finish();
          }
        };
      const withLucidac = isLucidac(shared.device)
        ? (await import('./lucidac-device.js')).withLucidac
        : undefined;
      const report = await withInterrupt((signal) =>
        definition.run(values, through(withDevice, signal), withLucidac && through(withLucidac, signal)),
      );
      printReport(report, json);
    },
  });
}
