import { RUN_OUTCOME } from '../../../firmware-protocol/device-status.js';
import { fieldsOf, type ReadableValue, readableFields } from '../readable-fields.js';
import type { FieldValue, TraceMessage } from '../trace-message.js';

type Fields = Readonly<Record<string, FieldValue>>;

/** A field of a message that differs from the recording. */
export interface FieldDifference {
  /** Index of the recorded message. */
  readonly message: number;
  readonly name: string;
  readonly field: string;
  readonly recorded: ReadableValue | undefined;
  readonly found: ReadableValue | undefined;
}

/** Fields of HELLO that belong to one session, one port or one board. They are not compared. */
const OF_THE_SESSION = [
  'nonce',
  'bootEpoch',
  'resumed',
  'frameBytes',
  'window',
  'inFlightBytes',
  'answerCache',
  'minor',
  'tableHash',
  'model',
  'serialNumber',
  'firmwareVersion',
  'runId',
  'lastRequestId',
  'detail',
];
/** Fields that depend on the size of frames: the number of blocks. */
const OF_THE_FRAMES = ['blocksSent'];
/** Fields that depend on the noise. */
const OF_THE_NOISE = ['stateDigest'];
/** Fields that depend on the timing of the host, if it asks during a run or ends a run early. */
const OF_THE_MOMENT = ['tick', 'stateDigest', 'state', 'ticksDone', 'samplesTaken', 'samplesLost'];
/** Fields after a run that the host ended early. */
const OF_THE_CUT = ['tick', 'stateDigest'];
/** Fields that depend on the noise if an overload ends a run: its length, and the first overloaded cells. */
const OF_THE_OVERLOAD = [
  'ticksDone',
  'samplesTaken',
  'overloadedCellCount',
  'overloadedCells',
  'overloadedRowCount',
  'overloadedRows',
];

/** The conditions of a comparison. */
export interface Circumstances {
  /** Whether the noise of the recorded board and of the present one is the same, bit for bit. */
  readonly sameNoise: boolean;
  /** Whether the message was sent during a run. */
  readonly duringRun: boolean;
  /** Whether the run before was ended by the host, or by the watchdog because the host was silent. */
  readonly afterCut: boolean;
}

/**
 * Compares the fields of a reply with the recorded ones. It skips fields that the message tables mark as
 * volatile, fields of the session, and fields that depend on noise or on the timing of the host.
 */
function compareFields(
  recorded: Pick<TraceMessage, 'index' | 'kind' | 'name' | 'fields'>,
  found: Fields,
  circumstances: Circumstances,
): FieldDifference[] {
  const leftOut = new Set([
    ...OF_THE_SESSION,
    ...OF_THE_FRAMES,
    ...(circumstances.sameNoise ? [] : OF_THE_NOISE),
    ...(circumstances.duringRun || isCutShort(recorded.fields) ? OF_THE_MOMENT : []),
    ...(circumstances.afterCut ? OF_THE_CUT : []),
    ...(isOverload(recorded.fields) && !circumstances.sameNoise ? OF_THE_OVERLOAD : []),
  ]);
  const compared = fieldsOf(recorded)
    .filter((field) => !field.volatile && !leftOut.has(field.name) && field.name in recorded.fields)
    .map(({ name }) => name);
  const [was, is] = [readableFields(recorded), readableFields({ ...recorded, fields: found })];
  return compared
    .filter((name) => !equal(recorded.fields[name], found[name]))
    .map((field) => ({
      message: recorded.index,
      name: recorded.name,
      field,
      recorded: was[field],
      found: is[field],
    }));
}

/** Largest number of differences that are kept. */
const DIFFERENCES_MAX = 1000;

/** The differences found in a session. */
export class Differences {
  readonly list: FieldDifference[] = [];
  /** Number of compared messages. */
  compared = 0;

  /** Compares a reply (`compareFields`). */
  compare(recorded: TraceMessage, found: Fields, circumstances: Circumstances): void {
    this.compared++;
    for (const difference of compareFields(recorded, found, circumstances)) this.note(difference);
  }

  note(difference: FieldDifference): void {
    if (this.list.length < DIFFERENCES_MAX) this.list.push(difference);
  }
}

/**
 * Whether the run was ended by the host, or by the watchdog because the host was silent. The tick of such an
 * end depends on timing.
 */
export function isCutShort({ outcome }: Fields): boolean {
  return (
    outcome === RUN_OUTCOME.aborted || outcome === RUN_OUTCOME.stopped || outcome === RUN_OUTCOME.watchdog
  );
}

function isOverload({ outcome }: Fields): boolean {
  return outcome === RUN_OUTCOME.overload;
}

function equal(a: FieldValue | undefined, b: FieldValue | undefined): boolean {
  if (!(a instanceof Uint8Array) || !(b instanceof Uint8Array)) return a === b;
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
