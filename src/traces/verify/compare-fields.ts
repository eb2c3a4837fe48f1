import { RUN_OUTCOME } from '../../../firmware-protocol/device-status.js';
import { fieldsOf, type ReadableValue, readableFields } from '../readable-fields.js';
import type { FieldValue, TraceMessage } from '../trace-message.js';

type Fields = Readonly<Record<string, FieldValue>>;

/** A field of a message that is not as it was recorded. */
export interface FieldDifference {
  /** Number of the recorded message. */
  readonly message: number;
  readonly name: string;
  readonly field: string;
  readonly recorded: ReadableValue | undefined;
  readonly found: ReadableValue | undefined;
}

/** What a session, a port and one board have of their own. HELLO tells it, and it is not compared. */
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
/** How many blocks the samples came in depends on the size of frames. */
const OF_THE_FRAMES = ['blocksSent'];
/** What noise decides. */
const OF_THE_NOISE = ['stateDigest'];
/** What the host's own timing decides, when it asks or ends a run while the run is in progress. */
const OF_THE_MOMENT = ['tick', 'stateDigest', 'state', 'ticksDone', 'samplesTaken', 'samplesLost'];
/** What a run leaves behind that ended at a moment of the host's. */
const OF_THE_CUT = ['tick', 'stateDigest'];
/** How far an overload lets a run come, and which cells are first, noise decides. */
const OF_THE_OVERLOAD = [
  'ticksDone',
  'samplesTaken',
  'overloadedCellCount',
  'overloadedCells',
  'overloadedRowCount',
  'overloadedRows',
];

/** What a comparison may count on. */
export interface Circumstances {
  /** Whether the noise of both is the same, bit for bit. */
  readonly sameNoise: boolean;
  /** Whether the message came while a run was in progress. */
  readonly duringRun: boolean;
  /** Whether the run before was ended by the host, or by its silence. */
  readonly afterCut: boolean;
}

/**
 * Compares the fields of a reply with those that were recorded. Left out are fields that the message tables
 * call volatile, those of the session, and those that noise or the host's timing decide.
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

/** Differences beyond so many are counted by the first ones. */
const DIFFERENCES_MAX = 1000;

/** What is found to differ in a session. */
export class Differences {
  readonly list: FieldDifference[] = [];
  /** How many messages were compared. */
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

/** Whether the host ended the run, or its silence did. When that happens is a matter of timing. */
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
