import type { DeviceStatus } from '../../../driver/device-api.js';
import {
  counted,
  formatBytes,
  formatClock,
  formatCount,
  formatNumber,
  formatSeconds,
} from '../../../number-text.js';
import type { LiveCell, LiveFigures, LiveRate } from '../../../traces/look/live-figures.js';
import type { PlacedMessage } from '../../../traces/look/message-filter.js';
import { LiveBlock } from '../../output/live-block.js';
import { printable } from '../../output/text-width.js';
import { messageRecord, messageText } from '../trace/messages.js';

/** A look at a board or at a recording. The board itself is asked only in the first case. */
export interface MonitorLook extends LiveFigures {
  readonly uri?: string;
  readonly trace?: string;
  readonly fault?: DeviceStatus['fault'];
  readonly runId?: number;
  readonly tick?: number;
  readonly roundTripMs?: number;
  /** The counters of the board since boot. */
  readonly counters?: Readonly<Record<string, number>>;
}

const TITLE_COLUMNS = 10;
const VOLT_DIGITS = 4;
/** Width, in columns, of the field in which a voltage from −V_max to V_max is shown. */
const SCALE_COLUMNS = 41;

/**
 * Shows looks at a board or recording. In a terminal a look is a block of lines that is overwritten,
 * elsewhere it is one line, and with `json` it is a line of JSON.
 */
export class MonitorDisplay {
  readonly #json: boolean;
  readonly #showsMessages: boolean;
  readonly #block = new LiveBlock();
  readonly #startMs = performance.now();
  /** The largest voltage so far. It is the scale of the cells, so the scale does not jump. */
  #voltsMax = 0;

  constructor({ json, messages }: { readonly json: boolean; readonly messages: boolean }) {
    this.#json = json;
    this.#showsMessages = messages;
  }

  look(look: MonitorLook): void {
    if (this.#json) this.#print({ event: 'look', seconds: this.#seconds(), ...look }, '');
    else if (this.#block.isTerminal) this.#block.draw(this.#lines(look));
    else process.stdout.write(`${this.#line(look)}\n`);
  }

  /** Shows a message that passes, if messages are shown. */
  readonly message = (placed: PlacedMessage): void => {
    if (!this.#showsMessages) return;
    const { message, seconds, run } = placed;
    if (this.#json)
      this.#print({ event: 'message', ...messageRecord(message, seconds, run?.run, false) }, '');
    else this.#print({}, messageText(placed));
  };

  note(text: string): void {
    this.#print({ event: 'note', text }, printable(text));
  }

  end(): void {
    this.#block.keep();
  }

  #print(json: object, text: string): void {
    this.#block.clear();
    process.stdout.write(`${this.#json ? JSON.stringify(json) : text}\n`);
  }

  #seconds(): number {
    return (performance.now() - this.#startMs) / 1000;
  }

  #lines(look: MonitorLook): string[] {
    const { rates, cells } = look;
    const row = (title: string, text: string): string => `${title.padEnd(TITLE_COLUMNS)} ${text}`;
    this.#voltsMax = Math.max(this.#voltsMax, ...cells.map(({ volts }) => Math.abs(volts)));
    return [
      row('monitor', `${look.uri ?? look.trace ?? ''}  ${formatClock(this.#seconds())}`),
      row('board', boardText(look)),
      row('run', runText(look)),
      row('to board', rateText(rates.toDevice)),
      row('to host', rateText(rates.toHost)),
      row('link', linkText(look)),
      ...(look.counters ? [row('in board', counterText(look.counters))] : []),
      ...cells.map((cell) =>
        row(`cell ${cell.cell}`, `${gauge(cell.volts, this.#voltsMax)}  ${cellText(cell)}`),
      ),
    ];
  }

  #line(look: MonitorLook): string {
    const { rates, cells } = look;
    const parts = [
      `${this.#seconds().toFixed(1)} s`,
      look.state ?? 'no state yet',
      runText(look),
      `→ ${rateText(rates.toDevice)}`,
      `← ${rateText(rates.toHost)}`,
      linkText(look),
      ...cells.map((cell) => `cell ${cell.cell} ${cellText(cell)}`),
    ];
    return parts.map(printable).join(' | ');
  }
}

function boardText({ model, serialNumber, state, fault, bootEpoch }: MonitorLook): string {
  if (model === undefined) return 'no HELLO was answered yet';
  const latched = fault === undefined || fault === 'none' ? '' : ` (${fault})`;
  return `${model}, ${serialNumber}, boot ${bootEpoch}, ${state ?? 'state unknown'}${latched}`;
}

function runText({ run, runs, tick }: MonitorLook): string {
  if (!run) return 'no run yet';
  const at = tick === undefined ? '' : `, tick ${formatCount(tick)}`;
  return `run ${run.run} of ${formatCount(runs)} ${run.outcome}, ${formatCount(run.samples)} of ${counted(run.sampleCount, 'sample')}${at}`;
}

function rateText({ bytesPerSecond, messagesPerSecond }: LiveRate): string {
  return `${formatBytes(bytesPerSecond)}/s, ${formatNumber(messagesPerSecond)} messages/s`;
}

function linkText(look: MonitorLook): string {
  const trip = look.roundTripMs === undefined ? '' : `, round trip ${formatSeconds(look.roundTripMs / 1000)}`;
  const lost = look.sampleFramesLost + look.samplesLost;
  return `${formatCount(look.badFrames)} bad, ${formatCount(look.sentAgain)} again, ${formatCount(lost)} lost, ${formatCount(look.stops)} stops, ${formatCount(look.refusals)} refused${trip}`;
}

function counterText(counters: Readonly<Record<string, number>>): string {
  const notable = ['framesFaulty', 'retransmissions', 'messagesRejected', 'samplesLost', 'watchdogTrips'];
  return notable.map((name) => `${name} ${formatCount(counters[name] ?? 0)}`).join(', ');
}

function cellText({ volts, readings, meanVolts, spreadVolts }: LiveCell): string {
  const now = `${formatNumber(volts, VOLT_DIGITS)} V`;
  if (readings < 2) return now;
  return `${now} (mean ${formatNumber(meanVolts)}, spread ${formatNumber(spreadVolts)}, ${formatCount(readings)} readings)`;
}

/** A voltage as a mark on a line from −max to max. */
function gauge(volts: number, max: number): string {
  const half = (SCALE_COLUMNS - 1) / 2;
  const at = max > 0 && Number.isFinite(volts) ? Math.round((volts / max) * half) + half : half;
  return Array.from({ length: SCALE_COLUMNS }, (_, column) =>
    column === at ? '●' : column === half ? '┊' : '·',
  ).join('');
}
