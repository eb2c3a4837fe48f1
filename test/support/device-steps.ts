import { readFileSync } from 'node:fs';
import type { ProgramImage, ProgramMode } from '../../firmware-protocol/program-image.js';
import { programImage } from './analog-boards.js';

/** One case of vectors/device-steps.json or row-element.json, written by an independent script in Python. */
export interface DeviceSteps {
  readonly name: string;
  readonly board: Readonly<Record<'tickLog2' | 'rail' | 'driveRange' | 'driveBits', number>>;
  readonly program: Readonly<
    Record<
      'cells' | 'rows' | 'couplingBits' | 'rowAttenuation' | 'damping' | 'noiseAmplitude' | 'noiseShift',
      number
    > &
      Record<'couplings' | 'drive' | 'initialState', readonly number[]>
  > & {
    readonly mode: ProgramMode;
    readonly linearRows?: number;
    readonly rowTable?: readonly number[];
    readonly rowDrive?: readonly number[];
  };
  readonly dieSeed: number;
  readonly runSeed: number;
  readonly firstTick: number;
  readonly ticks: number;
  readonly expected: Readonly<
    Record<'v' | 'c' | 'r' | 'q' | 'cellFlags' | 'rowFlags' | 'adc16', readonly number[]>
  > & { readonly digest: number };
}

function read(name: string): readonly DeviceSteps[] {
  return (
    JSON.parse(readFileSync(`firmware-protocol/vectors/${name}`, 'utf8')) as { cases: readonly DeviceSteps[] }
  ).cases;
}

export const ROW_ELEMENT_STEPS = read('row-element.json');
export const DEVICE_STEPS = [...read('device-steps.json'), ...ROW_ELEMENT_STEPS];

/** The program of a case as `loadProgram` takes it. */
export function imageOfSteps({ program }: DeviceSteps): ProgramImage {
  const { linearRows, rowTable, rowDrive, ...rest } = program;
  return programImage({
    ...rest,
    couplings: (program.couplingBits <= 8 ? Int8Array : Int16Array).from(program.couplings),
    drive: Int16Array.from(program.drive),
    initialState: Int16Array.from(program.initialState),
    ...(linearRows !== undefined && {
      rowElement: { linearRows, table: Int16Array.from(rowTable!), drive: Int16Array.from(rowDrive!) },
    }),
  });
}
