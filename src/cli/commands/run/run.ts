import { READ_FORMATS, readSquareMatrix, readVector } from '../../../files/read-array.js';
import { writeArray } from '../../../files/write-array.js';
import { counted, formatCount, formatMeasured, formatNumber } from '../../../number-text.js';
import { boardCommand } from '../../board-command.js';
import { arrayOutput, SEED } from '../../options/groups.js';
import { option } from '../../options/option.js';
import { nonNegativeNumber, positiveInteger, positiveNumber, wholeNumber } from '../../options/values.js';
import { formatTable } from '../../output/table.js';
import type { CellReadings } from './direct-program.js';

/** Default voltage at which uncoupled cells settle, in V_fs. */
const DRIVE_DEFAULT = 0.25;
/** The terminal shows at most this many cells. */
const SHOWN_MAX = 32;
const SAMPLES_MAX = 1_000_000;

export const command = boardCommand({
  options: {
    couplings: option('--couplings <file>', `A in G_fs, below ±1, as ${READ_FORMATS}`, { file: 'input' }),
    drive: option('--drive <file>', 'currents in V_fs·G_fs (default: 0.25 into every cell)', {
      file: 'input',
    }),
    damping: option(
      '--damping <g>',
      'conductance from each cell to ground, in G_fs (default: 1 without couplings, 0 with couplings)',
      {
        value: nonNegativeNumber,
      },
    ),
    noise: option('--noise <kappa>', 'noise temperature in V_fs²', { value: nonNegativeNumber, default: 0 }),
    settle: option('--settle <tau>', 'time to the first reading, in τ', {
      value: nonNegativeNumber,
      default: 16,
    }),
    samples: option('--samples <n>', 'readings of every cell', {
      value: positiveInteger(SAMPLES_MAX),
      default: 1,
    }),
    every: option('--every <tau>', 'time between two readings, in τ', { value: positiveNumber, default: 1 }),
    bank: option('--bank <b>', 'bank of the board whose program is replaced', {
      value: wholeNumber(0, 1),
      default: 0,
    }),
    ...arrayOutput('the mean voltages, in V_fs,'),
    ...SEED,
  },
  fallback: 'emulator:ideal-8',
  example: `
Example:
  thermolink run --device emulator:ideal-8 --noise 1e-4 --samples 100

Makes one board run in the units of the board. Nothing is scaled, refined or calibrated, so the readings are the plain
voltages of the cells. Cells start at 0 and settle around the solution v of A v = drive. Without --couplings the cells are
not coupled.`,
  async run(options, onBoard) {
    const { couplings: couplingsFile, drive: driveFile, damping, bank, seed, out } = options;
    const { runDirectly } = await import('./direct-program.js');
    const couplings = couplingsFile === undefined ? undefined : await readSquareMatrix(couplingsFile);
    const drive = driveFile === undefined ? DRIVE_DEFAULT : await readVector(driveFile);
    const { noise, settle, every, samples } = options;
    const request = {
      ...{ bank, seed, couplings, drive, noise, settle, every, samples },
      damping: damping ?? (couplings ? 0 : 1),
    };
    const { result, device } = await onBoard((board, { signal }) => runDirectly(board, request, signal));
    if (out !== undefined) await writeArray(out, Float64Array.from(result.mean));
    return { json: { device, ...result }, text: readingsText(device, result) };
  },
});

/** The output about a run. */
export function readingsText(device: string, result: CellReadings): string {
  const { outcome, ticks, readings, mean, standardDeviation, overloadedCells } = result;
  const rows = mean.slice(0, SHOWN_MAX).map((voltage, cell) => {
    if (readings < 2) return [`cell ${cell}`, `${formatNumber(voltage, 5)} V_fs`];
    const { value, error } = formatMeasured(voltage, standardDeviation[cell] / Math.sqrt(readings));
    return [`cell ${cell}`, `${value} ± ${error} V_fs`, `spread ${formatNumber(standardDeviation[cell])}`];
  });
  const more =
    mean.length > SHOWN_MAX ? `  … ${counted(mean.length - SHOWN_MAX, 'cell')} more: --json\n` : '';
  const overload = overloadedCells.length > 0 ? `, cells ${overloadedCells.join(', ')} at their rail` : '';
  const head = `${outcome} on ${device}: ${formatCount(ticks)} ticks, ${counted(readings, 'reading')}${overload}\n`;
  return `${head}${formatTable(rows)}${more}`;
}
