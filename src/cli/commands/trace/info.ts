import { PROTOCOL_MAJOR, PROTOCOL_MINOR, TABLE_HASH } from '../../../../firmware-protocol/version.js';
import { counted, formatBytes, formatCount, formatExact, formatSeconds } from '../../../number-text.js';
import type { LedgerRun } from '../../../traces/look/run-ledger.js';
import { SessionLedger, secondsBetween } from '../../../traces/look/session-ledger.js';
import type { Trace } from '../../../traces/open-trace.js';
import { defineCommand, printReport } from '../../command.js';
import { JSON_OUTPUT } from '../../options/groups.js';
import { formatTable } from '../../output/table.js';
import { TRACE_FILE, withTrace } from './opened-trace.js';

/** Largest number of runs that the text lists; `--json` has all runs. */
const RUNS_SHOWN_MAX = 12;

export const command = defineCommand({
  arguments: [TRACE_FILE],
  options: JSON_OUTPUT,
  example: `
Example:
  thermolink ping --device emulator:ideal-8 --record session.mcap
  thermolink trace info session.mcap`,
  async run({ json }, _name, [file]) {
    const report = await withTrace(file, (trace) => infoOf(trace));
    printReport({ json: report, text: infoText(report) }, json === true);
  },
});

type Info = ReturnType<typeof infoOf>;

function infoOf(trace: Trace) {
  const ledger = new SessionLedger();
  for (const chunk of trace.chunks()) ledger.push(chunk);
  const { board } = ledger;
  return {
    file: trace.path,
    bytes: trace.bytes,
    recordedAt: timeText(ledger.firstNs),
    seconds: ledger.seconds,
    metadata: Object.fromEntries(
      [...trace.metadata].map(([name, facts]) => [name, Object.fromEntries(facts)]),
    ),
    attachments: trace.attachments.map(({ name, mediaType, size }) => ({ name, mediaType, bytes: size })),
    board: board && {
      model: board.model,
      serialNumber: board.serialNumber,
      firmwareVersion: board.firmwareVersion,
      bootEpoch: board.bootEpoch,
      cells: board.cells,
      rows: board.rows,
      adcBits: board.adcBits,
      fullScaleMicrovolts: board.fullScaleMicrovolts,
      protocol: `${board.major}.${board.minor}`,
      tableHash: hex(board.tableHash),
    },
    lastState: ledger.state,
    connections: ledger.connections,
    sessions: ledger.sessions,
    messages: ledger.counts,
    runs: ledger.runs.map((run) => runOf(run, ledger.firstNs)),
    link: { ...ledger.passed, ...ledger.findings },
    stops: ledger.stops,
    refusals: Object.fromEntries(ledger.refusals),
    samplesLost: ledger.runs.reduce((sum, { report }) => sum + (report?.samplesLost ?? 0), 0),
    damage: trace.findings.map(({ problem }) => problem),
  };
}

function runOf(run: LedgerRun, firstNs: bigint | undefined) {
  const { request, report, startNs, endNs, message: _, ...facts } = run;
  return {
    ...facts,
    ...request,
    startSeconds: secondsBetween(firstNs, startNs),
    seconds: secondsBetween(startNs, endNs),
    ...report,
  };
}

/** The time of day of a recording; a recording in virtual time begins at 0 and has no time of day. */
function timeText(ns: bigint | undefined): string | undefined {
  if (ns === undefined) return undefined;
  const date = new Date(Number(ns / 1_000_000n));
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function infoText(info: Info): string {
  const sections: [string, string[][]][] = [
    ['recording', recordingRows(info)],
    ['board', boardRows(info)],
    ['link', linkRows(info)],
  ];
  const tables = sections.map(([title, rows]) => `${title}\n${formatTable(rows)}`);
  return [...tables, messageTable(info), runTable(info)].join('\n');
}

function recordingRows(info: Info): string[][] {
  const facts = Object.entries(info.metadata).flatMap(([record, values]) =>
    Object.entries(values).map(([name, value]) => [
      record === 'thermolink' ? name : `${record} ${name}`,
      value,
    ]),
  );
  const attached = info.attachments.map(({ name, bytes }) => `${name} (${formatBytes(bytes)})`);
  return [
    ['file', `${info.file}, ${formatBytes(info.bytes)}`],
    ['begins', info.recordedAt ?? 'unknown'],
    ['lasts', formatSeconds(info.seconds)],
    ...facts,
    ['attachments', attached.length === 0 ? 'none' : attached.join(', ')],
    ['damage', info.damage.length === 0 ? 'none' : info.damage.join('; ')],
  ];
}

function boardRows({ board, lastState }: Info): string[][] {
  if (!board) return [['', 'it never answered HELLO']];
  const isOurs =
    board.protocol === `${PROTOCOL_MAJOR}.${PROTOCOL_MINOR}` && board.tableHash === hex(TABLE_HASH);
  return [
    ['model', board.model],
    ['serial number', board.serialNumber],
    ['firmware', board.firmwareVersion],
    ['boot', String(board.bootEpoch)],
    ['cells', `${formatCount(board.cells)}, V_fs = ${formatExact(board.fullScaleMicrovolts / 1e6)} V`],
    [
      'protocol',
      `${board.protocol}, tables ${board.tableHash}${isOurs ? ' (as here)' : ' (other than here)'}`,
    ],
    ['state at the end', lastState ?? 'unknown'],
  ];
}

function linkRows(info: Info): string[][] {
  const { link, refusals } = info;
  const refused = Object.entries(refusals).map(([reason, count]) => `${count} ${reason}`);
  return [
    ['ports, sessions', `${info.connections}, ${info.sessions}`],
    ['host to board', `${formatBytes(link.toDevice.bytes)}, ${counted(link.toDevice.messages, 'message')}`],
    ['board to host', `${formatBytes(link.toHost.bytes)}, ${counted(link.toHost.messages, 'message')}`],
    ['frames', formatCount(link.framesReceived)],
    ['command frames sent again', formatCount(link.retransmissions)],
    ['bad bytes between frames', counted(link.framesFaulty, 'time')],
    ['frames of other sessions', formatCount(link.framesForeign)],
    ['sample frames lost on the line', formatCount(link.sampleFramesLost)],
    ['samples lost in the board', formatCount(info.samplesLost)],
    ['stops', formatCount(info.stops)],
    ['refusals', refused.length === 0 ? 'none' : refused.join(', ')],
  ];
}

function messageTable({ messages }: Info): string {
  return formatTable(
    messages.map(({ name, kind, direction, count, payloadBytes }) => [
      `${direction === 'toDevice' ? '→' : '←'} ${name}`,
      kind,
      formatCount(count),
      formatBytes(payloadBytes),
    ]),
    { header: ['message', 'kind', 'count', 'payload'], align: ['left', 'left', 'right', 'right'] },
  );
}

function runTable({ runs }: Info): string {
  if (runs.length === 0) return 'no board runs\n';
  const table = formatTable(
    runs
      .slice(0, RUNS_SHOWN_MAX)
      .map((run) => [
        String(run.run),
        formatSeconds(run.startSeconds),
        formatSeconds(run.seconds),
        String(run.bank),
        String(run.runSeed),
        formatCount(run.ticksDone ?? 0),
        `${formatCount(run.samples)} of ${formatCount(run.sampleCount)}`,
        formatCount(run.cells),
        run.outcome,
      ]),
    {
      header: ['run', 'at', 'took', 'bank', 'seed', 'ticks', 'samples', 'cells', 'end'],
      align: ['right', 'right', 'right', 'right', 'right', 'right', 'right', 'right', 'left'],
    },
  );
  const more = runs.length - RUNS_SHOWN_MAX;
  return more > 0 ? `${table}  … ${counted(more, 'more run')} (all with --json)\n` : table;
}
