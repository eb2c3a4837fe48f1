import { FLAG_NAK } from '../../../firmware-protocol/framing.js';
import type { Direction } from '../../../firmware-protocol/message-table.js';
import { adcStep } from '../../board/board-range.js';
import { ThermolinkError } from '../../errors.js';
import { counted, formatBytes, formatCount, formatExact, formatSeconds } from '../../number-text.js';
import type { Chart } from '../../plot/chart.js';
import { type EventRow, eventChart } from '../../plot/event-chart.js';
import { figure } from '../../plot/figure.js';
import { lineChart } from '../../plot/line-chart.js';
import type { LinkChunk } from '../trace-message.js';
import type { Range } from './message-filter.js';
import type { LedgerRun } from './run-ledger.js';
import { SessionLedger, secondsBetween } from './session-ledger.js';
import { wireFrames } from './wire-frames.js';

/** Number of columns of the time axis. A column is narrower than a pixel. */
const COLUMNS = 2000;
/** Number of columns of the throughput panel. Each value is the mean over one column. */
const RATE_COLUMNS = 100;
/** Largest number of runs that are drawn with their number. */
const NAMED_RUNS_MAX = 40;

/** Options of the picture of a session. */
export interface FigureRequest {
  /** Title above the picture. */
  readonly title: string;
  /** Cells with a curve of their voltage. */
  readonly cells: readonly number[];
  /** Seconds from the beginning. Default: all of the session. */
  readonly range?: Range;
}

/** A recording whose bytes can be read repeatedly. */
export interface Chunks {
  chunks(): Iterable<LinkChunk>;
}

/** The columns in which an event happened, each once, and the number of events. */
class Marks {
  count = 0;
  readonly #columns = new Set<number>();

  add(column: number): void {
    this.count++;
    this.#columns.add(column);
  }

  seconds(axis: TimeAxis): number[] {
    return [...this.#columns].map((column) => axis.secondsOf(column));
  }
}

/** Converts seconds of the session to columns. */
class TimeAxis {
  readonly from: number;
  readonly to: number;
  readonly #columns: number;

  constructor(from: number, to: number, columns: number) {
    this.from = from;
    this.to = to > from ? to : from + 1e-9;
    this.#columns = columns;
  }

  has(seconds: number): boolean {
    return this.from <= seconds && seconds <= this.to;
  }

  columnOf(seconds: number): number {
    const column = Math.floor(((seconds - this.from) / (this.to - this.from)) * this.#columns);
    return Math.min(this.#columns - 1, Math.max(0, column));
  }

  secondsOf(column: number): number {
    return this.from + ((column + 0.5) / this.#columns) * (this.to - this.from);
  }
}

/** Least and greatest voltage of a cell in each column. */
class VoltageTrace {
  readonly #least = new Map<number, number>();
  readonly #greatest = new Map<number, number>();
  /** Columns in which a run begins. The curve has a gap before each of them. */
  readonly #begins = new Set<number>();

  add(column: number, volts: number, begins: boolean): void {
    this.#least.set(column, Math.min(volts, this.#least.get(column) ?? volts));
    this.#greatest.set(column, Math.max(volts, this.#greatest.get(column) ?? volts));
    if (begins) this.#begins.add(column);
  }

  points(axis: TimeAxis): [number, number][] {
    const points: [number, number][] = [];
    for (const column of [...this.#least.keys()].sort((a, b) => a - b)) {
      const seconds = axis.secondsOf(column);
      const [least, greatest] = [this.#least.get(column)!, this.#greatest.get(column)!];
      if (this.#begins.has(column) && points.length > 0) points.push([seconds, Number.NaN]);
      points.push([seconds, least]);
      if (greatest > least) points.push([seconds, greatest]);
    }
    return points;
  }
}

/** The rows of frames and events, in the order in which they are drawn. */
const ROWS = {
  commands: { name: 'commands →', color: '#0072b2' },
  answers: { name: 'answers ←', color: '#0072b2' },
  credits: { name: 'credits →', color: '#009e73' },
  samples: { name: 'samples ←', color: '#009e73' },
  bare: { name: 'acks, keep-alives', color: '#59636e' },
  again: { name: 'sent again', color: '#e69f00' },
  naks: { name: 'naks', color: '#e69f00' },
  stops: { name: 'stops', color: '#d55e00' },
  refusals: { name: 'refusals', color: '#cc79a7' },
  bad: { name: 'bad bytes', color: '#d55e00' },
} as const;
type RowName = keyof typeof ROWS;
/** Rows that are drawn even if they are empty. An empty row tells that nothing of this kind happened. */
const ALWAYS: ReadonlySet<RowName> = new Set<RowName>(['commands', 'answers', 'samples', 'again', 'bad']);

/**
 * A picture of a session as SVG, over the time of the host: board runs, frames of both directions, repeated
 * frames, stops and errors, bytes per second, and the voltages of some cells. The host knows only when a
 * block of samples arrived. The samples of a block are drawn evenly between the arrival of the block before
 * and its own arrival. Errors: BAD_ARGUMENT for a range after the end, and for cells that no run has; those
 * of `recording`.
 */
export function sessionFigure(recording: Chunks, request: FigureRequest): string {
  const whole = new SessionLedger();
  for (const chunk of recording.chunks()) whole.push(chunk);
  checkRequest(request, whole);
  const { from = 0, to = whole.seconds } = request.range ?? {};
  const axis = new TimeAxis(from, to, COLUMNS);
  const startNs = whole.firstNs;
  const marks = frameMarks(recording, axis, startNs);
  const { rates, voltages } = courses(recording, axis, startNs, request.cells);
  const charts: Chart[] = [
    eventChart({
      title: 'Runs, frames and errors',
      subtitle: subtitleOf(whole),
      x: timeAxis(axis),
      rows: [runRow(whole, axis), ...rowsOf(marks, axis)],
    }),
    rateChart(rates, axis),
    ...(request.cells.length > 0 ? [voltageChart(voltages, axis, whole)] : []),
  ];
  return figure(charts, { title: request.title, widthPx: 900 });
}

/** An empty picture would not say why it is empty. */
function checkRequest({ cells, range }: FigureRequest, { seconds, runs }: SessionLedger): void {
  const { from = 0 } = range ?? {};
  if (from > seconds)
    throw new ThermolinkError('BAD_ARGUMENT', `The recording ends at ${formatSeconds(seconds)}.`, {
      hint: 'Begin the range before its end.',
      data: { from, seconds },
    });
  const cellsMost = runs.reduce((most, run) => Math.max(most, run.cells), 0);
  if (cellsMost > 0 && cells.length > 0 && cells.every((cell) => cell >= cellsMost))
    throw new ThermolinkError('BAD_ARGUMENT', `No run has cell ${cells[0]}.`, {
      hint: `The largest run has ${counted(cellsMost, 'cell')}, counted from 0.`,
      data: { cells, cellsMost },
    });
}

function timeAxis(axis: TimeAxis) {
  return { label: 'time of the host, seconds', include: [axis.from, axis.to] };
}

function subtitleOf(ledger: SessionLedger): string {
  const { passed, runs } = ledger;
  const bytes = passed.toDevice.bytes + passed.toHost.bytes;
  return [
    counted(runs.length, 'run'),
    counted(passed.toDevice.messages + passed.toHost.messages, 'message'),
    formatBytes(bytes),
    `in ${formatSeconds(ledger.seconds)}`,
  ].join(', ');
}

/** The times of frames, by row. */
function frameMarks(recording: Chunks, axis: TimeAxis, startNs: bigint | undefined): Map<RowName, Marks> {
  const marks = new Map((Object.keys(ROWS) as RowName[]).map((name) => [name, new Marks()]));
  const note = (name: RowName, timeNs: bigint): void => {
    const seconds = secondsBetween(startNs, timeNs);
    if (axis.has(seconds)) marks.get(name)!.add(axis.columnOf(seconds));
  };
  const ledger = new SessionLedger();
  for (const chunk of recording.chunks()) {
    const before = ledger.findings.retransmissions;
    ledger.push(chunk, ({ name, kind, hostTimeNs, direction }) => {
      if (kind === 'bad') note('bad', hostTimeNs);
      else if (name === 'stop' && kind === 'command') note('stops', hostTimeNs);
      else if (name === 'refusal' || name === 'helloRefused') note('refusals', hostTimeNs);
      else if (name === 'sampleBlock') note('samples', hostTimeNs);
      else if (name === 'credit' || name === 'resend' || name === 'blocksSent') note('credits', hostTimeNs);
      else note(direction === 'toDevice' ? 'commands' : 'answers', hostTimeNs);
    });
    // A chunk may hold several frames that were sent again.
    for (let i = before; i < ledger.findings.retransmissions; i++) note('again', chunk.hostTimeNs);
  }
  for (const { item, hostTimeNs } of wireFrames(recording.chunks())) {
    if (item.kind === 'fault') note('bad', hostTimeNs);
    if (item.kind !== 'frame') continue;
    if (item.frame.payload.length === 0) note('bare', hostTimeNs);
    if ((item.frame.flags & FLAG_NAK) !== 0) note('naks', hostTimeNs);
  }
  return marks;
}

function rowsOf(marks: ReadonlyMap<RowName, Marks>, axis: TimeAxis): EventRow[] {
  return [...marks]
    .filter(([name, { count }]) => count > 0 || ALWAYS.has(name))
    .map(([name, found]) => ({
      ...ROWS[name],
      marks: found.seconds(axis),
      note: found.count === 0 ? 'none' : formatCount(found.count),
    }));
}

function runRow({ runs, firstNs }: SessionLedger, axis: TimeAxis): EventRow {
  const inside = runs
    .map((run) => ({
      run,
      from: secondsBetween(firstNs, run.startNs),
      to: secondsBetween(firstNs, run.endNs),
    }))
    .filter(({ from, to }) => to >= axis.from && from <= axis.to);
  // Many short runs look like one bar. Runs on the same pixel are drawn once.
  const seen = new Set<string>();
  const spans = inside
    .map(({ run, from, to }) => ({
      from: Math.max(from, axis.from),
      to: Math.min(to, axis.to),
      text: inside.length > NAMED_RUNS_MAX ? '' : runText(run),
    }))
    .filter(({ from, to }) => {
      const key = `${axis.columnOf(from)} ${axis.columnOf(to)}`;
      return seen.size < seen.add(key).size;
    });
  return { name: 'runs', spans, note: formatCount(inside.length), color: '#56b4e9' };
}

function runText({ run, outcome }: LedgerRun): string {
  return outcome === 'completed' ? String(run) : `${run}: ${outcome}`;
}

/** Bytes of each direction by column, and voltages by cell. */
function courses(recording: Chunks, axis: TimeAxis, startNs: bigint | undefined, cells: readonly number[]) {
  const rateAxis = new TimeAxis(axis.from, axis.to, RATE_COLUMNS);
  const rates: Record<Direction, Float64Array> = {
    toDevice: new Float64Array(RATE_COLUMNS),
    toHost: new Float64Array(RATE_COLUMNS),
  };
  const voltages = new Map(cells.map((cell) => [cell, new VoltageTrace()]));
  const ledger = new SessionLedger();
  let last: { readonly run: LedgerRun; readonly seconds: number } | undefined;
  for (const chunk of recording.chunks()) {
    const seconds = secondsBetween(startNs, chunk.hostTimeNs);
    if (axis.has(seconds)) rates[chunk.direction][rateAxis.columnOf(seconds)] += chunk.bytes.length;
    ledger.push(chunk, ({ samples }, run) => {
      if (!samples || !run || !ledger.board) return;
      const { firstCell, cellCount } = samples.header;
      // A block may promise more samples than it holds.
      const sampleCount = Math.min(samples.header.sampleCount, Math.ceil(samples.codes.length / cellCount));
      const stepVolts = (adcStep(ledger.board.adcBits) * ledger.board.fullScaleMicrovolts) / 1e6;
      const begins = last?.run !== run;
      const before = begins ? secondsBetween(startNs, run.startNs) : last!.seconds;
      for (const [cell, trace] of voltages) {
        if (cell < firstCell || cell >= firstCell + cellCount) continue;
        for (let sample = 0; sample < sampleCount; sample++) {
          const code = samples.codes[sample * cellCount + cell - firstCell];
          const at = before + ((sample + 1) / sampleCount) * (seconds - before);
          if (code === undefined || !axis.has(at)) continue;
          trace.add(axis.columnOf(at), code * stepVolts, begins && sample === 0);
        }
      }
      if (firstCell + cellCount >= run.cells) last = { run, seconds };
    });
  }
  return { rates, voltages };
}

function rateChart(rates: Readonly<Record<Direction, Float64Array>>, axis: TimeAxis): Chart {
  const rateAxis = new TimeAxis(axis.from, axis.to, RATE_COLUMNS);
  const columnSeconds = (axis.to - axis.from) / RATE_COLUMNS;
  const points = (bytes: Float64Array): [number, number][] =>
    Array.from(bytes, (count, column) => [rateAxis.secondsOf(column), count / columnSeconds / 1000]);
  return lineChart({
    title: 'Bytes on the line',
    subtitle: `means over ${formatSeconds(columnSeconds)}`,
    x: timeAxis(axis),
    y: { label: 'kB/s', include: [0] },
    series: [
      { name: 'host to board', points: points(rates.toDevice) },
      { name: 'board to host', points: points(rates.toHost) },
    ],
    plotHeightPx: 120,
  });
}

function voltageChart(
  voltages: ReadonlyMap<number, VoltageTrace>,
  axis: TimeAxis,
  { board }: SessionLedger,
): Chart {
  return lineChart({
    title: 'Voltages',
    subtitle: board
      ? `ADC readings; full scale ${formatExact(board.fullScaleMicrovolts / 1e6)} V`
      : 'the recording holds no identity of the board',
    x: timeAxis(axis),
    y: { label: 'V' },
    series: [...voltages]
      .map(([cell, trace]) => ({ name: `cell ${cell}`, points: trace.points(axis) }))
      .filter(({ points }) => points.length > 0),
    plotHeightPx: 200,
  });
}
