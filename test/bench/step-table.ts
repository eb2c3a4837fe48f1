/**
 * `npm run bench`: the tick of the emulated cell array beside the same tick in other tools, interleaved in
 * one run. Peers are the C device, if there is a compiler, and all libraries that the Python of
 * THERMOLINK_PYTHON (default python3) can import; add another one to `startPeers`. It also shows how the time
 * grows with the couplings, the share of the machine's read bandwidth (measured in the same rounds) that a
 * tick uses, and the time saved by couplings of 8 bits. At the end it compares two boards at once with one
 * alone.
 */
import { type BoardsBench, benchBoards } from '../../src/cli/commands/bench/boards.js';
import { newRoof, type StepProblem, StepTimer, stepWarning } from '../../src/cli/commands/bench/step.js';
import { formatTable } from '../../src/cli/output/table.js';
import { percentile } from '../../src/cli/statistics.js';
import { startCDevice } from './c-device.js';
import { type Peer, startPythonPeers } from './python-peers.js';

const PROBLEMS: readonly StepProblem[] = [
  [8],
  [64],
  [256],
  [1024],
  [2048],
  [4096],
  [288, 1024],
  [337, 624],
  [4096, 320],
  [8192, 640],
].map(([cells, rows]) => ({ cells, rows, couplingBits: 16 }));
const BOARDS = 2;
const BOARDS_CELLS: readonly number[] = [64, 256, 1024, 2048];
const ROUNDS = 9;
const ROUND_MS = 50;
/** From here on time is compared with the couplings. */
const LINEAR_CELLS_MIN = 1024;

interface Row {
  readonly problem: StepProblem;
  readonly products: number;
  readonly microsecondsPerTick: number;
  /**
   * The share of the read bandwidth that a tick uses: the least time to read the couplings, at the bandwidth
   * of the same rounds, divided by the measured time.
   */
  readonly shareOfRead: number | undefined;
  /**
   * Median of the rounds' ratios: the time of this problem divided by the time of the same problem with
   * couplings of 8 bits.
   */
  readonly ratioTo8Bits: number;
  /** For each peer the median of the rounds' ratios: its time divided by ours. */
  readonly ratios: Readonly<Record<string, number>>;
  readonly peerMicroseconds: Readonly<Record<string, number>>;
}

async function startPeers(): Promise<{ peers: readonly Peer[]; stop: () => void }> {
  const python = await startPythonPeers(process.env['THERMOLINK_PYTHON'] ?? 'python3');
  const c = startCDevice();
  if (typeof c === 'string') {
    process.stderr.write(`${c}\n`);
    return python;
  }
  return {
    peers: [...c.peers, ...python.peers],
    stop: () => {
      c.stop();
      python.stop();
    },
  };
}

async function measure(problem: StepProblem, peers: readonly Peer[]): Promise<Row> {
  const timer = new StepTimer(problem);
  const timer8 = new StepTimer({ ...problem, couplingBits: 8 });
  const roof = newRoof(timer.products);
  await timer.warmUp();
  await timer8.warmUp();
  roof?.readGigabytesPerSecond();
  const ours: number[] = [];
  const ratiosTo8: number[] = [];
  const shares: number[] = [];
  const theirs = new Map<string, number[]>(peers.map(({ name }) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(timer.microsecondsPerTick(ROUND_MS));
    ratiosTo8.push(ours[round] / timer8.microsecondsPerTick(ROUND_MS));
    if (roof !== undefined) shares.push(timer.products / roof.readGigabytesPerSecond() / 1000 / ours[round]);
    for (const peer of peers) theirs.get(peer.name)!.push(await peer.microsecondsPerTick(problem, ROUND_MS));
  }
  const each = (value: (times: readonly number[]) => number) =>
    Object.fromEntries([...theirs].map(([name, times]) => [name, value(times)]));
  return {
    problem,
    products: timer.products,
    microsecondsPerTick: percentile(ours, 0.5),
    shareOfRead: roof && percentile(shares, 0.5),
    ratioTo8Bits: percentile(ratiosTo8, 0.5),
    ratios: each((times) =>
      percentile(
        times.map((time, round) => time / ours[round]),
        0.5,
      ),
    ),
    peerMicroseconds: each((times) => percentile(times, 0.5)),
  };
}

/** Time per product, divided by that of the smallest problem of its kind with 1,024 cells or more. */
function growth(row: Row, rows: readonly Row[]): number | undefined {
  if (row.problem.cells < LINEAR_CELLS_MIN) return undefined;
  const factored = (other: Row) => other.problem.rows !== undefined;
  const first = rows.find(
    (other) => other.problem.cells >= LINEAR_CELLS_MIN && factored(other) === factored(row),
  );
  return first && row.microsecondsPerTick / row.products / (first.microsecondsPerTick / first.products);
}

function textOf(row: Row, all: readonly Row[], peers: readonly Peer[]): string[] {
  const { cells, rows } = row.problem;
  return [
    rows === undefined ? `${cells}` : `${cells}, ${rows} rows`,
    row.microsecondsPerTick.toPrecision(3),
    (row.products / row.microsecondsPerTick / 1000).toFixed(1),
    growth(row, all)?.toFixed(2) ?? '–',
    row.shareOfRead === undefined ? '–' : `${(100 * row.shareOfRead).toFixed(0)} %`,
    `${row.ratioTo8Bits.toFixed(2)}×`,
    ...peers.flatMap(({ name }) => [
      row.peerMicroseconds[name].toPrecision(3),
      `${row.ratios[name].toFixed(2)}×`,
    ]),
  ];
}

const warning = stepWarning();
if (warning !== undefined) process.stderr.write(`${warning}\n`);
const { peers, stop } = await startPeers();
const rows: Row[] = [];
for (const problem of PROBLEMS) {
  process.stderr.write(`${problem.cells}${problem.rows === undefined ? '' : ` × ${problem.rows}`} …\n`);
  const row = await measure(problem, peers);
  rows.push(row);
}
stop();
const boards: (BoardsBench & { cells: number })[] = [];
for (const cells of BOARDS_CELLS) {
  process.stderr.write(`${BOARDS} boards of ${cells} cells …\n`);
  boards.push({ cells, ...(await benchBoards({ cells, rows: undefined, couplingBits: 16 }, BOARDS)) });
}
if (process.argv.includes('--json'))
  process.stdout.write(
    `${JSON.stringify({ timing: { ticks: rows.map((row) => ({ ...row, growth: growth(row, rows) })), boards } })}\n`,
  );
else {
  const header = [
    'cells',
    'µs/tick',
    'GMAC/s',
    'growth',
    'of reading',
    'to 8 bits',
    ...peers.flatMap(({ name }) => [`${name} µs`, 'ratio']),
  ];
  const lines = rows.map((row) => textOf(row, rows, peers));
  process.stdout.write(formatTable(lines, { header, align: header.map(() => 'right') }));
  process.stdout.write(
    '  growth: time per product, divided by that of the first problem of its kind with 1,024 cells or more\n',
  );
  process.stdout.write(
    '  of reading: least time to read the couplings, measured in the same rounds, divided by the time of a tick\n',
  );
  process.stdout.write(
    '  to 8 bits: the time divided by that with couplings of 8 bits, in the same rounds\n',
  );
  for (const { name, version } of peers) process.stdout.write(`  ${name}: ${version}, one thread\n`);
  if (peers.length === 0) process.stdout.write('  no peers: no C compiler and no python3 with numpy\n');
  process.stdout.write(
    formatTable(
      boards.map(({ cells, aloneMs, togetherMs, ratio, coresRatio }) => [
        `${cells}`,
        aloneMs.toPrecision(3),
        togetherMs.toPrecision(3),
        `${ratio.toFixed(2)}×`,
        `${coresRatio.toFixed(2)}×`,
      ]),
      {
        header: ['cells', 'a run, ms', `${BOARDS} boards`, 'ratio', 'of counting'],
        align: ['right', 'right', 'right', 'right', 'right'],
      },
    ),
  );
  process.stdout.write(
    `  of counting: the ratio for ${BOARDS} threads that only count; 1 if cores are idle\n`,
  );
}
