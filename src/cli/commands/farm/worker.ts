import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Device } from '../../../driver/device.js';
import { ThermolinkError } from '../../../errors.js';
import {
  type BoardWorkEvent,
  boardKey,
  type Farm,
  type JobCounters,
  type JobKind,
  noJobs,
  SOLVE_JOB,
  workOnBoard,
} from '../../../farm/index.js';
import { unpackCalibration } from '../../../measure/kept-calibration.js';
import { counted } from '../../../number-text.js';
import { defineCommand } from '../../command.js';
import { type DeviceOptions, refuseTwice, withDevice } from '../../device.js';
import { createLogger } from '../../logging.js';
import { FARM } from '../../options/farm.js';
import { JSON_OUTPUT, LOG, RETRY } from '../../options/groups.js';
import { repeatedOption } from '../../options/option.js';
import { withInterrupt } from '../../output/interrupt.js';
import { StatusLine } from '../../output/status-line.js';
import { VERSION } from '../../version.js';
import { TABLE_STUDIES } from '../study/results-page.js';
import { runJob } from '../study/table/table-job.js';
import { TRAINING_JOB } from '../study/training-job.js';
import { withFarm } from './connected-farm.js';
import { TRAIN_JOB } from './train-job.js';

/** Everything that a worker does. */
const JOB_KINDS = [SOLVE_JOB, TRAINING_JOB, TRAIN_JOB, runJob(TABLE_STUDIES)] as readonly JobKind[];

/** A board that was lost is looked for again after this time. */
const AGAIN_MS = 5000;
const REDRAW_MS = 500;
const BOARDS_MAX = 64;

const OPTIONS = {
  devices: repeatedOption(
    '--device <uri>',
    `the board to offer; give it once for each board, ${BOARDS_MAX} at most`,
  ),
  ...FARM,
  json: JSON_OUTPUT.json,
  ...RETRY,
  ...LOG,
};

export const command = defineCommand({
  options: OPTIONS,
  example: `
Examples:
  thermolink farm worker --device emulator:ideal-crossbar
  thermolink farm worker --nats tls://nats.lab:4222 --token-file token --device serial:/dev/ttyACM0

Offers boards to a farm and does jobs on them. A board does one job at a time. Ctrl-C gives a running job back to
the queue. If a worker is killed, the farm notices it after 12 s, and another board does its job. The worker connects
again to a board or a server that was lost. --tls-ca names the certificate of a server that no known authority has
signed.`,
  async run({ devices, nats, json = false, ...rest }) {
    const uris = checkDevices(devices);
    await withInterrupt(async (signal) => {
      const log = await createLogger(rest);
      await withFarm(nats, rest, { signal, log }, (farm) =>
        offerBoards(farm, uris, { ...rest, ownThread: true }, json, signal),
      );
    });
  },
});

function checkDevices(devices: readonly string[] | undefined): readonly string[] {
  if (devices !== undefined && devices.length <= BOARDS_MAX) {
    refuseTwice(devices);
    return devices;
  }
  throw new ThermolinkError(
    'BAD_ARGUMENT',
    devices === undefined ? 'A worker needs a board.' : `A worker offers ${BOARDS_MAX} boards at most.`,
    { hint: 'Name each board by `devices`; start more workers for more boards.' },
  );
}

async function offerBoards(
  farm: Farm,
  uris: readonly string[],
  options: DeviceOptions,
  json: boolean,
  signal: AbortSignal,
): Promise<void> {
  const worker = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
  const counters = noJobs();
  const status = new StatusLine();
  const print = (text: string, facts: object): void => {
    status.clear();
    process.stdout.write(`${json ? JSON.stringify(facts) : text}\n`);
  };
  const timer = setInterval(() => status.draw(countersText(counters)), REDRAW_MS);
  // The first error that another try cannot mend ends the work of all boards.
  const stop = new AbortController();
  const until = AbortSignal.any([signal, stop.signal]);
  const offer = async (uri: string, index: number): Promise<void> => {
    let isFirst = true;
    while (!until.aborted) {
      try {
        await withDevice(uri, options, until, async (device) => {
          isFirst = false;
          await workOnBoard(
            {
              ...{ farm, device, uri, worker, counters, kinds: JOB_KINDS, release: VERSION },
              key: boardKey(uri, device.identity, worker, index),
              calibratedAt: await calibrationDate(device),
              tell: (event) => print(eventText(event), event),
            },
            until,
          );
        });
      } catch (error) {
        if (until.aborted) return;
        if (isFirst || !(error instanceof ThermolinkError) || error.code === 'BAD_ARGUMENT') throw error;
        const { code, message } = error;
        print(`${uri} is not offered, ${code}: ${message}`, { event: 'lost', uri, code, message });
        await delay(AGAIN_MS, undefined, { signal: until }).catch(() => undefined);
      }
    }
  };
  try {
    await Promise.all(
      uris.map((uri, index) =>
        offer(uri, index).catch((error: unknown) => {
          stop.abort();
          throw error;
        }),
      ),
    );
  } finally {
    clearInterval(timer);
    status.clear();
    print(countersText(counters), { event: 'closed', ...counters });
  }
}

/**
 * Returns the date of the calibration that a board keeps; null if the board keeps no readable calibration.
 */
async function calibrationDate(device: Device): Promise<string | null> {
  if (device.identity.calibrationBytesMax === 0) return null;
  const bytes = await device.readCalibration();
  if (bytes === undefined) return null;
  try {
    const { measuredAt } = unpackCalibration(bytes) as { readonly measuredAt?: unknown };
    return typeof measuredAt === 'string' ? measuredAt.slice(0, 100) : null;
  } catch {
    return null;
  }
}

const ENDS: Readonly<Record<keyof JobCounters, string>> = {
  done: 'is done',
  failed: 'failed',
  known: 'was done already',
  malformed: 'is no job for this worker',
  withdrawn: 'was withdrawn',
  givenBack: 'goes to another board',
  returned: 'goes back into the queue',
  abandoned: 'is not tried again',
};

function eventText(event: BoardWorkEvent): string {
  if (event.event === 'offered') return `${event.uri} is offered: ${event.model} ${event.serialNumber}`;
  const job = `job ${event.key.slice(0, 12)}`;
  if (event.event === 'began') return `${event.uri}: ${job} (${event.kind}) begins`;
  return `${event.uri}: ${job} ${ENDS[event.how]}${event.message === undefined ? '' : `: ${event.message}`}`;
}

function countersText({
  done,
  failed,
  known,
  malformed,
  withdrawn,
  givenBack,
  returned,
  abandoned,
}: JobCounters): string {
  const rest = [
    [failed, 'failed'],
    [known, 'done already'],
    [malformed, 'malformed'],
    [withdrawn, 'withdrawn'],
    [givenBack, 'given back'],
    [returned, 'back in the queue'],
    [abandoned, 'not tried again'],
  ] as const;
  const parts = rest.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return [counted(done, 'job'), ...parts].join(', ');
}
