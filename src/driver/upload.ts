import {
  CELLS_MAX,
  COUPLING_BITS_MAX,
  COUPLING_BITS_MIN,
  ROW_TABLE_NODES,
  U32_MAX,
} from '../../firmware-protocol/limits.js';
import { type Command, commandRow } from '../../firmware-protocol/messages/index.js';
import {
  codeBytes,
  couplingsDigest,
  type ProgramDigest,
  programDigest,
} from '../../firmware-protocol/program-digest.js';
import { linearRowsOf, PROGRAM_MODE, type ProgramImage } from '../../firmware-protocol/program-image.js';
import { badArgument, checkArray, checkObject, checkWhole } from '../argument-checks.js';
import { ThermolinkError } from '../errors.js';
import { counted } from '../number-text.js';
import { type CodeSpan, changedSpan } from './changed-span.js';
import type { Connection } from './connection.js';
import type { CallOptions, CommitReport, DeviceIdentity, RewriteOptions } from './device-api.js';

/** Largest number of bytes of a write command in addition to its codes. */
export const WRITE_OVERHEAD_BYTES = 32;
/**
 * Deadline of a write command. It is long because of slow lines. A dead line is noticed by the link and not
 * by this deadline.
 */
const WRITE_TIMEOUT_MS = 30_000;
/** Largest number of commands of an upload that wait for their answers. */
const WRITES_AHEAD_MAX = 16;

/** Makes the options of the next command. The argument is used if the call has no deadline of its own. */
type CallStep = (defaultMs?: number) => CallOptions;

/** The write commands, and the field of each that names the place of its first code. */
export const WRITE_PLACE = {
  writeCouplings: 'firstEntry',
  writeDrive: 'firstCell',
  writeInitialState: 'firstCell',
  writeRowTable: 'firstNode',
  writeRowDrive: 'firstRow',
} as const;
type WriteName = keyof typeof WRITE_PLACE;

/** An upload without a commit so far. A board that was not restarted still has the codes that it received. */
interface Begun {
  readonly bank: number;
  readonly image: ProgramImage;
  /** Number of bytes of the couplings that are in the board. */
  bytes: number;
  /** The digest of the couplings. It is computed while they are sent. */
  digest: ProgramDigest | undefined;
}

/** Uploads programs in chunks (protocol.md, "Programs"). `payloadBytes` counts the bytes of codes. */
export class Uploader {
  payloadBytes = 0;
  readonly #connection: Connection;
  #begun: Begun | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Uploads a whole program. A lost upload of the same couplings continues at the point where it ended, also
   * in another session. The digest shows whether the board still had the beginning; if not, all codes are
   * sent.
   */
  async load(bank: number, image: ProgramImage, options: CallOptions): Promise<CommitReport> {
    const call = this.#begin(options);
    const begun = this.#begun;
    if (begun && begun.bytes > 0 && isPartOf(begun, bank, image))
      try {
        await this.#writeCouplings(bank, image, call, begun);
        return await this.#rewrite(bank, image, call);
      } catch (error) {
        if (!(error instanceof ThermolinkError) || !hasForgotten(error)) throw error;
      }
    await this.#couplings(bank, image, call);
    return this.#rewrite(bank, image, call);
  }

  /** Uploads the shape and the couplings. The bank is not committed. */
  async couplings(bank: number, image: ProgramImage, options: CallOptions): Promise<void> {
    await this.#couplings(bank, image, this.#begin(options));
  }

  /** Uploads each part that differs from `since`, but not the couplings, and commits. */
  rewrite(bank: number, image: ProgramImage, options: RewriteOptions): Promise<CommitReport> {
    return this.#rewrite(bank, image, this.#begin(options), options.since);
  }

  /** Makes the options of the commands of one call. They share the deadline of the call. */
  #begin({ signal, timeoutMs }: CallOptions): (defaultMs?: number) => CallOptions {
    const { clock } = this.#connection;
    const untilMs = timeoutMs === undefined ? undefined : clock.nowMs() + timeoutMs;
    return (defaultMs) => {
      const leftMs = untilMs === undefined ? defaultMs : Math.max(1, untilMs - clock.nowMs());
      return { signal, timeoutMs: leftMs };
    };
  }

  async #couplings(bank: number, image: ProgramImage, call: CallStep): Promise<void> {
    const { mode, cells, rows, couplingBits, rowAttenuation } = image;
    const begun: Begun = { bank, image, bytes: 0, digest: undefined };
    this.#begun = begun;
    const defined = this.#connection.request(
      'defineProgram',
      { bank, mode, cells, rows, couplingBits, rowAttenuation, linearRows: linearRowsOf(image) },
      call(),
    );
    // Commands are executed in order, so the first codes need not wait for the answer. If `defineProgram` is
    // refused, the codes are refused too, and the error of `defineProgram` is reported.
    const written = this.#writeCouplings(bank, image, call, begun);
    written.catch(() => undefined);
    begun.digest = couplingsDigest(image.couplings);
    await defined;
    await written;
  }

  async #rewrite(
    bank: number,
    image: ProgramImage,
    call: CallStep,
    since?: RewriteOptions['since'],
  ): Promise<CommitReport> {
    const { rowElement } = image;
    const parts: [WriteName, Int16Array, Int16Array | undefined][] = [
      ['writeDrive', image.drive, since?.drive],
      ['writeInitialState', image.initialState, since?.initialState],
    ];
    if (rowElement)
      parts.push(
        ['writeRowTable', rowElement.table, since?.rowElement?.table],
        ['writeRowDrive', rowElement.drive, since?.rowElement?.drive],
      );
    // No command waits for the answer of the one before. If a write is refused, the digest differs, so the
    // commit is refused too, and the error of the write is reported.
    const ahead: Promise<unknown>[] = [];
    for (const [name, codes, before] of parts)
      await this.#send(ahead, name, bank, codes, call, undefined, changedSpan(codes, before));
    const { damping, noiseAmplitude, noiseShift } = image;
    // These two commands wait behind write commands, so their deadline is longer by that of a write command.
    const behindWrites = (name: 'setRegisters' | 'commit') =>
      call(WRITE_TIMEOUT_MS + commandRow(name).timeoutMs);
    await this.#room(ahead);
    const registers = { bank, damping, noiseAmplitude, noiseShift };
    const set = this.#connection.request('setRegisters', registers, behindWrites('setRegisters'));
    set.catch(() => undefined);
    ahead.push(set);
    const begun = this.#begun;
    const known = begun && isPartOf(begun, bank, image) ? begun.digest : undefined;
    const digest = programDigest(image, known);
    await this.#room(ahead);
    const commit = this.#connection.request('commit', { bank, ...digest }, behindWrites('commit'));
    commit.catch(() => undefined);
    await inOrder(ahead);
    const report = await commit;
    this.#begun = undefined;
    return report;
  }

  /**
   * Waits until the link can send the next command at once. A command that waits for the link could be
   * overtaken by one that was requested later. Errors: those of the commands in `ahead`, the oldest first.
   */
  async #room(ahead: Promise<unknown>[]): Promise<void> {
    while (ahead.length >= WRITES_AHEAD_MAX || (ahead.length > 0 && !this.#connection.link.canSend))
      await ahead.shift();
  }

  /** Writes the couplings from the point where `begun` ended, and waits for the answers. */
  async #writeCouplings(bank: number, image: ProgramImage, call: CallStep, begun: Begun): Promise<void> {
    const ahead: Promise<unknown>[] = [];
    await this.#send(ahead, 'writeCouplings', bank, image.couplings, call, begun);
    await inOrder(ahead);
  }

  /**
   * Sends codes. With `begun` it starts where that upload ended; with `span` it sends only the codes of the
   * span. The answers that are still to come are added to `ahead`.
   */
  async #send(
    ahead: Promise<unknown>[],
    name: WriteName,
    bank: number,
    codes: Int8Array | Int16Array,
    call: CallStep,
    begun?: Begun,
    span: CodeSpan = { first: 0, end: codes.length },
  ): Promise<void> {
    const width = codes.BYTES_PER_ELEMENT;
    const bytes = codeBytes(codes).subarray(0, span.end * width);
    const chunk = Math.floor((this.#connection.link.payloadBytesMax - WRITE_OVERHEAD_BYTES) / width) * width;
    for (let at = begun?.bytes ?? span.first * width; at < bytes.length; at += chunk) {
      await this.#room(ahead);
      const part = bytes.subarray(at, at + chunk);
      const first = at / width;
      const fields = { bank, [WRITE_PLACE[name]]: first, codes: part } as unknown as Command<WriteName>;
      const write = this.#connection.request(name, fields, call(WRITE_TIMEOUT_MS));
      // The first failure is reported. Later calls fail for the same reason.
      write.then(
        () => {
          // Commands are carried out in order, so the board has all earlier parts too.
          if (begun) begun.bytes = Math.max(begun.bytes, at + part.length);
        },
        () => undefined,
      );
      ahead.push(write);
      this.payloadBytes += part.length;
    }
  }
}

/** Waits for answers in the order of their commands, so the first command that failed gives the error. */
async function inOrder(answers: readonly Promise<unknown>[]): Promise<void> {
  for (const answer of answers) await answer;
}

function isPartOf(begun: Begun, bank: number, image: ProgramImage): boolean {
  const shape = ['mode', 'cells', 'rows', 'couplingBits', 'rowAttenuation', 'couplings'] as const;
  const sameShape = shape.every((part) => begun.image[part] === image[part]);
  return begun.bank === bank && sameShape && linearRowsOf(begun.image) === linearRowsOf(image);
}

/** Whether the board has no program to continue, or a different one. */
function hasForgotten({ code, data }: ThermolinkError): boolean {
  return (
    code === 'DIGEST_MISMATCH' ||
    (code === 'DEVICE_REFUSED' && data['reason'] !== undefined && data['reason'] !== 'cancelled')
  );
}

/**
 * Throws BAD_ARGUMENT for a bank that the board lacks, and for an image with parts of wrong kinds or lengths;
 * UNSUPPORTED for a row element that the board lacks.
 */
export function checkProgram(bank: number, image: ProgramImage, identity: DeviceIdentity): void {
  checkWhole('bank', bank, 0, identity.banks - 1);
  checkObject('The program image', image, '{ mode: 0, cells: 8, rows: 8, couplings: new Int16Array(64), … }');
  const { mode, cells, rows, couplingBits, couplings, drive, initialState } = image;
  if (!Object.values(PROGRAM_MODE).includes(mode))
    throw badArgument('image.mode', mode, '0 (dense) or 1 (factored)');
  checkWhole('image.cells', cells, 1, CELLS_MAX);
  checkWhole('image.rows', rows, 1, CELLS_MAX);
  checkWhole('image.couplingBits', couplingBits, COUPLING_BITS_MIN, COUPLING_BITS_MAX);
  for (const name of ['rowAttenuation', 'damping', 'noiseAmplitude', 'noiseShift'] as const)
    checkWhole(`image.${name}`, image[name], 0, U32_MAX);
  checkArray('image.couplings', couplings, couplingBits <= 8 ? 'Int8Array' : 'Int16Array');
  checkArray('image.drive', drive, 'Int16Array');
  checkArray('image.initialState', initialState, 'Int16Array');
  checkLength('image.couplings', couplings.length, rows * cells, 'rows × cells');
  checkLength('image.drive', drive.length, cells, 'one for each cell');
  checkLength('image.initialState', initialState.length, cells, 'one for each cell');
  checkRowElement(image, identity);
}

function checkRowElement({ mode, rows, rowElement }: ProgramImage, { hasRowElement }: DeviceIdentity): void {
  if (rowElement === undefined) return;
  checkObject('image.rowElement', rowElement, '{ linearRows: 0, table: new Int16Array(161), … }');
  const { linearRows, table, drive } = rowElement;
  if (mode === PROGRAM_MODE.dense)
    throw badArgument(
      'image.rowElement',
      rowElement,
      'undefined in a dense program, which has no row amplifiers',
    );
  checkWhole('image.rowElement.linearRows', linearRows, 0, rows);
  checkArray('image.rowElement.table', table, 'Int16Array');
  checkArray('image.rowElement.drive', drive, 'Int16Array');
  checkLength('image.rowElement.table', table.length, ROW_TABLE_NODES, 'one for each node');
  checkLength('image.rowElement.drive', drive.length, rows, 'one for each row');
  if (!hasRowElement)
    throw new ThermolinkError('UNSUPPORTED', 'The rows of this board have no element and no drive.', {
      hint: 'Use a board whose identity has hasRowElement, or a program without rowElement.',
    });
}

function checkLength(name: string, length: number, wanted: number, why: string): void {
  if (length === wanted) return;
  throw new ThermolinkError(
    'BAD_ARGUMENT',
    `${name} has ${counted(length, 'code')}; it must have ${wanted}: ${why}.`,
    {
      data: { argument: name, length, wanted },
    },
  );
}
