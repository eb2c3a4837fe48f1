import type { Port } from '../../../../firmware-protocol/port.js';
import { PROTOCOL_MAJOR, PROTOCOL_MINOR } from '../../../../firmware-protocol/version.js';
import { openPort, parseDeviceUri } from '../../../connect.js';
import { Device } from '../../../driver/device.js';
import { SYSTEM_CLOCK } from '../../../driver/system-clock.js';
import { ThermolinkError } from '../../../errors.js';
import { writeText } from '../../../files/write-array.js';
import { defineCommand, printReport } from '../../command.js';
import { deviceFile, deviceUri } from '../../device.js';
import { checkFiles } from '../../input/check-files.js';
import { deviceOption, JSON_OUTPUT } from '../../options/groups.js';
import { flag, option, printedAs } from '../../options/option.js';
import { listOf, type ValueParser } from '../../options/values.js';
import { withInterrupt } from '../../output/interrupt.js';
import { EXIT_FAILED, QuietExit } from '../../output/report-error.js';
import { WorkDisplay } from '../../output/work-display.js';
import { checkBoard } from './check-board.js';
import { CLAUSES, UNCHECKED } from './clauses/index.js';
import { type ConformanceReport, reportText, reportXml } from './report.js';

const FALLBACK = 'emulator:ideal-8';

const anyId: ValueParser<string> = (text) => text;

const OPTIONS = {
  ...deviceOption(FALLBACK),
  report: option('--report <file>', 'write the report as .json, or as .xml for JUnit', {
    file: 'output',
    dash: printedAs('.json', '.xml'),
  }),
  clauses: option('--clauses <ids>', 'check these rules only, such as LINK-3,STOP-2', {
    value: listOf(anyId),
  }),
  oneClient: flag('--one-client', 'the address is that of a line, such as a serial port behind ser2net'),
  skipSlow: flag('--skip-slow', 'leave out the checks that wait for seconds'),
  ...JSON_OUTPUT,
};

const EXAMPLE = `
Example:
  thermolink conformance --device serial:/dev/ttyACM0 --report board.xml

Checks a board against every rule of docs/reference/protocol.md that can be seen from outside, each in a session of its
own. It replaces the programs of the board, starts runs, and resets the board at the end. A rule that cannot be seen is
listed with its reason and never counts as passed. Exit code 1 when a rule failed. The whole takes about half a minute.`;

export const command = defineCommand({
  options: OPTIONS,
  example: EXAMPLE,
  async run(options, name) {
    await checkFiles(OPTIONS, options, { '--device': deviceFile(options.device) });
    const { report: file, clauses: wanted } = options;
    if (file !== undefined && !/\.(json|xml)$/.test(file))
      throw new ThermolinkError('BAD_ARGUMENT', `report is ${file}; it must end in .json or .xml.`, {
        hint: 'Name for example board.xml.',
      });
    const clauses = chosen(wanted);
    const uri = deviceUri(options.device, FALLBACK);
    const json = options.json === true;
    const display = new WorkDisplay(name, clauses.length, json);
    let report: ConformanceReport;
    try {
      report = await withInterrupt(async (signal) => {
        const board = await identityOf(uri, signal);
        const results = await checkBoard({
          clauses,
          open: () => openPort(uri, { signal }),
          severalConnections: parseDeviceUri(uri).kind === 'tcp' && options.oneClient !== true,
          clock: SYSTEM_CLOCK,
          signal,
          skipSlow: options.skipSlow === true,
          onProgress: (done, id) => display.update(done, id),
        });
        const count = (status: string): number => results.filter((one) => one.status === status).length;
        return {
          device: uri,
          board,
          protocol: `${PROTOCOL_MAJOR}.${PROTOCOL_MINOR}`,
          passed: count('passed'),
          failed: count('failed'),
          skipped: count('skipped'),
          clauses: results,
          unchecked: wanted === undefined ? UNCHECKED : {},
        };
      });
    } finally {
      display.finish();
    }
    if (file !== undefined)
      await writeText(
        file,
        file.endsWith('.xml') ? reportXml(report) : `${JSON.stringify(report, null, 2)}\n`,
      );
    printReport({ json: report, text: reportText(report) }, json);
    if (report.failed > 0) throw new QuietExit(EXIT_FAILED);
  },
});

/** The requested rules, in the order of the checks. Errors: BAD_ARGUMENT for a rule that is not checked. */
function chosen(wanted: readonly string[] | undefined) {
  if (wanted === undefined) return CLAUSES;
  for (const id of wanted)
    if (!CLAUSES.some((clause) => clause.id === id)) {
      const reason = UNCHECKED[id];
      const why = reason === undefined ? 'there is no such rule' : `it is not checked: ${reason}`;
      throw new ThermolinkError('BAD_ARGUMENT', `clauses has ${id}; ${why}.`, {
        hint: 'The ids stand in docs/reference/protocol.md.',
      });
    }
  return CLAUSES.filter(({ id }) => wanted.includes(id));
}

/** The identity of the board, read by the driver. A board that the driver cannot open is not checked. */
async function identityOf(uri: string, signal: AbortSignal): Promise<ConformanceReport['board']> {
  const port: Port = await openPort(uri, { signal });
  const device = await Device.open(port, { signal });
  const { model, serialNumber, firmwareVersion } = device.identity;
  await device.close();
  return { model, serialNumber, firmwareVersion };
}
