import { CELLS_MAX } from '../../../../firmware-protocol/limits.js';
import type { SpectrumShape } from '../../../linalg/random-system.js';
import { formatExact, formatNumber } from '../../../number-text.js';
import { boardCommand } from '../../board-command.js';
import { SEED } from '../../options/groups.js';
import { option } from '../../options/option.js';
import { choice, condition, listOf, positiveInteger, tolerance } from '../../options/values.js';
import { formatTable } from '../../output/table.js';
import { benchSolve, type SolveBench } from './solve.js';

const SHAPES: readonly SpectrumShape[] = ['log-uniform', 'linear'];

export const command = boardCommand({
  options: {
    cells: option('--cells <n,…>', 'numbers of unknowns', {
      value: listOf(positiveInteger(CELLS_MAX)),
      default: [8, 64],
    }),
    conditions: option('--conditions <c,…>', 'conditions, largest over smallest eigenvalue', {
      value: listOf(condition),
      default: [1e2, 1e4, 1e6],
    }),
    tolerances: option('--tolerances <r,…>', 'tolerances', { value: listOf(tolerance), default: [1e-2] }),
    spectrum: option('--spectrum <shape>', 'distribution of the eigenvalues: log-uniform or linear', {
      value: choice(SHAPES),
      default: SHAPES[0],
    }),
    systems: option('--systems <n>', 'random systems of each kind', {
      value: positiveInteger(10_000),
      default: 4,
    }),
    ...SEED,
  },
  example: `
Examples:
  thermolink bench solve
  thermolink bench solve --cells 256 --conditions 1e6 --tolerances 1e-1,1e-4 --json
  thermolink bench solve --device emulator:spu-8 --cells 8 --conditions 100

Errors are relative to the answer of Cholesky's method in float64. CG is the number of products with A after which conjugate
gradients in float64 have the error of the board's answer. The tolerance does not change the random systems.`,
  async run({ cells, conditions, tolerances, spectrum, systems, seed }, onBoard) {
    const rows: SolveBench[] = [];
    const devices: string[] = [];
    for (const size of cells) {
      const cases = conditions.flatMap((value) =>
        tolerances.map((wanted) => ({ condition: value, tolerance: wanted })),
      );
      const { result, device } = await onBoard(
        async (board, { signal, show }) => {
          const done: SolveBench[] = [];
          let solves = 0;
          for (const { condition: value, tolerance: wanted } of cases) {
            const problem = { cells: size, condition: value, tolerance: wanted, spectrum, systems, seed };
            const what = `${size} unknowns, condition ${formatExact(value)}, tolerance ${formatExact(wanted)}`;
            done.push(await benchSolve(board, problem, signal, () => show(solves++, what)));
          }
          return done;
        },
        { cells: size, total: cases.length * systems },
      );
      rows.push(...result);
      devices.push(device);
    }
    return { json: { seed, devices, cases: rows }, text: reportText(rows) };
  },
});

function reportText(rows: readonly SolveBench[]): string {
  return formatTable(rows.map(rowOf), {
    header: [
      'n',
      'condition',
      'tolerance',
      'solved',
      'passes',
      'ticks',
      'products',
      'CG',
      'error/tolerance',
      'z²',
    ],
    align: ['right', 'right', 'right', 'right', 'right', 'right', 'right', 'right', 'right', 'right'],
  });
}

function rowOf({
  cells,
  condition: value,
  tolerance: wanted,
  systems,
  solved,
  figures,
}: SolveBench): string[] {
  const about = [`${cells}`, formatExact(value), formatExact(wanted), `${solved} of ${systems}`];
  if (figures === undefined) return [...about, ...new Array<string>(6).fill('–')];
  const { passes, ticks, hostProducts, conjugateGradientProducts, smallestError, worstError, zVariance } =
    figures;
  return [
    ...about,
    formatNumber(passes, 2),
    formatNumber(ticks, 2),
    hostProducts === undefined ? '–' : formatNumber(hostProducts, 2),
    formatNumber(conjugateGradientProducts, 2),
    `${formatNumber(smallestError, 1)}…${formatNumber(worstError, 2)}`,
    zVariance.toFixed(2),
  ];
}
