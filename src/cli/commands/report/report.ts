import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Port } from '../../../../firmware-protocol/port.js';
import { openPort } from '../../../connect.js';
import { Device } from '../../../driver/device.js';
import { ThermolinkError } from '../../../errors.js';
import { replaceFile } from '../../../files/replace-file.js';
import { formatBytes } from '../../../number-text.js';
import { openTrace } from '../../../traces/open-trace.js';
import { Recorder } from '../../../traces/recorder.js';
import { defineCommand, printReport } from '../../command.js';
import { deviceFile, deviceUri } from '../../device.js';
import { checkFiles } from '../../input/check-files.js';
import { JSON_OUTPUT } from '../../options/groups.js';
import { negation, option, printedAs } from '../../options/option.js';
import { withInterrupt } from '../../output/interrupt.js';
import { formatTable } from '../../output/table.js';
import { type SelfTest, selfTest } from '../selftest/small-solve.js';
import {
  contentsPart,
  errorFacts,
  jsonPart,
  lastFramesPart,
  portsPart,
  type ReportPart,
  versionsPart,
} from './contents.js';
import { redactor, withoutFolder } from './redact.js';

const PINGS = 10;
const TRACE = 'session.mcap';

const OPTIONS = {
  device: option('--device <uri>', 'which board (default: THERMOLINK_DEVICE)'),
  out: option('--out <file>', 'the zip file, replaced if it exists (default: thermolink-report-TIME.zip)', {
    file: 'output',
    dash: printedAs('.zip'),
  }),
  selfTest: negation('--no-self-test', 'run nothing on the board; a self-test replaces its programs'),
  ...JSON_OUTPUT,
};

export const command = defineCommand({
  options: OPTIONS,
  example: `
The file holds versions, the serial ports, the identity and the counters of the board, the last frames, a self-test
and the recording of this session. It holds no environment, no tokens and none of your paths. Its contents.txt lists
everything. If the board can't be reached, the file holds the error.

Example:
  thermolink report --device emulator:ideal-8 --out report.zip`,
  async run(options) {
    const uri = deviceUri(options.device, '');
    if (uri === '')
      throw new ThermolinkError('BAD_ARGUMENT', 'No device is named.', {
        hint: 'Pass --device, for example --device serial:/dev/ttyACM0; `thermolink devices` lists the ports.',
      });
    const out = options.out ?? `thermolink-report-${new Date().toISOString().replace(/[:.]/g, '-')}.zip`;
    await checkFiles(OPTIONS, { ...options, out }, { '--device': deviceFile(options.device) });
    const { parts, found } = await withInterrupt((signal) => gather(uri, options.selfTest, signal));
    const bytes = await zipped(parts);
    replaceFile(out, bytes);
    const names = parts.map(({ name, content, about }) => ({
      name,
      bytes: Buffer.from(content).length,
      about,
    }));
    printReport(
      {
        json: { out, bytes: bytes.length, parts: names, ...found },
        text: reportText(out, bytes.length, names, found),
      },
      options.json === true,
    );
  },
});

/** The summary that is printed at once: whether the board was reached, and its self-test. */
interface Findings {
  readonly error?: unknown;
  readonly selfTest?: SelfTest;
}

async function gather(uri: string, runs: boolean, signal: AbortSignal) {
  const redact = redactor(process.env, uri);
  const directory = mkdtempSync(join(tmpdir(), 'thermolink-report-'));
  try {
    const file = join(directory, TRACE);
    const { board, found } = await askBoard(uri, file, runs, redact, signal);
    const trace = await openTrace(file);
    let frames: ReportPart[] = [];
    try {
      frames = [lastFramesPart(trace)];
    } catch {
      // No port was opened, so nothing was recorded.
    } finally {
      trace.close();
    }
    const texts = [versionsPart(), await portsPart(), ...board, ...frames].map((part) => ({
      ...part,
      content: typeof part.content === 'string' ? redact(part.content) : part.content,
    }));
    const recording =
      frames.length === 0
        ? []
        : [{ name: TRACE, content: readFileSync(file), about: 'the recording of this session' }];
    const parts = [...texts, ...recording];
    return { parts: [contentsPart(parts), ...parts], found };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * Everything that the board reports. An error of the board becomes part of the report and ends the queries.
 */
async function askBoard(
  uri: string,
  file: string,
  runs: boolean,
  redact: (text: string) => string,
  signal: AbortSignal,
): Promise<{ board: ReportPart[]; found: Findings }> {
  const recorder = new Recorder({ file });
  const name = redact(withoutFolder(uri));
  const facts: Record<string, unknown> = { device: name };
  const board: ReportPart[] = [];
  let found: Findings = {};
  let device: Device | undefined;
  try {
    device = await Device.open(recorder.tap(renamed(await openPort(uri, { signal }), name)), { signal });
    facts['identity'] = device.identity;
    facts['statusBefore'] = await device.readStatus({ signal });
    const roundTripsMs: number[] = [];
    for (let i = 0; i < PINGS; i++) roundTripsMs.push(await device.ping({ signal }));
    facts['roundTripsMs'] = roundTripsMs;
    if (runs) {
      const result = await selfTest(device, signal);
      found = { selfTest: result };
      board.push(jsonPart('self-test.json', result, 'a small solve, compared with the exact answer'));
    }
    facts['statusAfter'] = await device.readStatus({ signal });
    facts['counters'] = await device.readCounters({ signal });
  } catch (error) {
    if (error instanceof ThermolinkError && error.code === 'ABORTED') throw error;
    facts['error'] = errorFacts(error);
    found = { ...found, error: errorFacts(error) };
  } finally {
    if (device) facts['linkCounters'] = device.linkCounters;
    await device?.close();
    await recorder.close();
  }
  return {
    board: [jsonPart('device.json', facts, 'the board: identity, state, counters, round trips'), ...board],
    found,
  };
}

/** A copy of the port with another name, because the recording contains the name. */
function renamed(port: Port, name: string): Port {
  return {
    name,
    frameBytesMax: port.frameBytesMax,
    ...(port.inFlightBytesMax !== undefined && { inFlightBytesMax: port.inFlightBytesMax }),
    get closed() {
      return port.closed;
    },
    onData: (receiver) => port.onData(receiver),
    onClose: (receiver) => port.onClose(receiver),
    write: (bytes) => port.write(bytes),
    close: () => port.close(),
  };
}

async function zipped(parts: readonly ReportPart[]): Promise<Uint8Array> {
  const { configure, Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } = await import('@zip.js/zip.js');
  configure({ useWebWorkers: false });
  const writer = new ZipWriter(new Uint8ArrayWriter());
  for (const { name, content } of parts)
    await writer.add(name, new Uint8ArrayReader(new Uint8Array(Buffer.from(content))));
  return writer.close();
}

function reportText(
  out: string,
  bytes: number,
  parts: readonly { readonly name: string; readonly bytes: number; readonly about: string }[],
  { error, selfTest: test }: Findings,
): string {
  const rows = parts.map(({ name, bytes: size, about }) => [name, formatBytes(size), about]);
  const { message } = (error ?? {}) as { message?: string };
  const state =
    message !== undefined
      ? `The board: ${message}`
      : test === undefined
        ? 'The board answers. No self-test was run.'
        : `The board answers. Its self-test ${test.passed ? 'passed' : 'FAILED'}.`;
  return `${formatTable(rows, { align: ['left', 'right', 'left'] })}\n${state}\nwrote ${out}, ${formatBytes(bytes)}: look into contents.txt before you attach it.\n`;
}
