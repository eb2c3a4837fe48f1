import { connect } from '../../../connect.js';
import { counted } from '../../../number-text.js';
import { asArgument } from '../../../transport/serial-advice.js';
import { bestCandidates, type SerialDevice, serialDevices } from '../../../transport/serial-devices.js';
import { listSerialPorts } from '../../../transport/serial-listing.js';
import type { ListSerialPorts, SerialListing } from '../../../transport/serial-row.js';
import { defineCommand, type LoadedCommand, printReport } from '../../command.js';
import { createLogger } from '../../logging.js';
import { JSON_OUTPUT, LOG } from '../../options/groups.js';
import { flag, type OptionValues } from '../../options/option.js';
import { withInterrupt } from '../../output/interrupt.js';
import { formatTable } from '../../output/table.js';
import { type Connect, type ProbeAnswer, probePort } from './probe-port.js';

const EXAMPLE = `
The verdicts are ours, unknown, busy and no permission; docs/reference/devices.md explains them and says what to do.
A port is opened only with --probe, because opening a port resets some boards by their DTR line.

Examples:
  thermolink devices
  thermolink devices --probe --json`;

const OPTIONS = {
  probe: flag('--probe', 'open every free port and ask it (HELLO, up to 5 s)'),
  ...JSON_OUTPUT,
  ...LOG,
};

type DevicesOptions = OptionValues<typeof OPTIONS>;

/** The functions of the machine that the command uses. Tests give a substitute. */
export interface DevicesEnvironment {
  readonly list: ListSerialPorts;
  readonly connect: Connect;
}

interface ListedDevice extends SerialDevice, Partial<Pick<ProbeAnswer, 'board' | 'finding'>> {}

interface DevicesReport {
  readonly platform: NodeJS.Platform;
  readonly probed: boolean;
  readonly ports: readonly ListedDevice[];
  /** The ports that are most likely a board. If there are several, the user must choose. */
  readonly candidates: readonly ListedDevice[];
  readonly notes: readonly string[];
}

export const command = devicesCommand({ list: listSerialPorts, connect });

/** The command with a given machine. */
export function devicesCommand(environment: DevicesEnvironment): LoadedCommand {
  return defineCommand({
    options: OPTIONS,
    example: EXAMPLE,
    async run(options) {
      const report = await withInterrupt((signal) => readReport(options, environment, signal));
      printReport({ json: jsonOf(report), text: reportText(report) }, options.json === true);
    },
  });
}

async function readReport(
  options: DevicesOptions,
  { list, connect: connectTo }: DevicesEnvironment,
  signal: AbortSignal,
): Promise<DevicesReport> {
  const listing = await list();
  const { platform } = listing;
  const devices = serialDevices(listing);
  const notes = notesOn(listing, devices);
  if (!options.probe)
    return { platform, probed: false, ports: devices, candidates: bestCandidates(devices), notes };
  const log = await createLogger(options);
  const ports = await Promise.all(
    devices.map(async (device): Promise<ListedDevice> => {
      const child = log?.child({ device: device.path });
      const answer = await probePort(device, platform, connectTo, { signal, log: child });
      const advice = answer.board
        ? `Use it by --device ${asArgument(device.uri)}.`
        : (answer.advice ?? device.advice);
      return { ...device, ...answer, advice };
    }),
  );
  const answered = ports.filter(({ board }) => board !== undefined);
  return { platform, probed: true, ports, candidates: answered, notes };
}

function notesOn({ hasModemManager, platform }: SerialListing, devices: readonly SerialDevice[]): string[] {
  const hasUsb = devices.some(({ vendorId }) => vendorId !== undefined);
  if (hasModemManager && hasUsb)
    return [
      'ModemManager runs: it talks to a new USB port for some seconds. If a board does not answer right after it was ' +
        'plugged in, wait, or tell ModemManager to keep off (docs/reference/devices.md).',
    ];
  if (devices.length > 0) return [];
  const checks: Partial<Record<NodeJS.Platform, string>> = {
    linux:
      'see whether dmesg shows the device; a container needs it passed in, and brltty takes some ports away',
    win32: 'look for an unknown device in the Device Manager: it lacks its driver',
  };
  return [
    `Plug the board in, with a cable that carries data; ${checks[platform] ?? 'its chip may need a driver'}.`,
    'The emulated board needs no port: thermolink info --device emulator:ideal-64',
  ];
}

function jsonOf({ ports, candidates, ...report }: DevicesReport) {
  return { ...report, ports: ports.map(portJson), candidates: candidates.map(({ uri }) => uri) };
}

/** A port with all its fields. A field is null if nothing is known. */
function portJson(port: ListedDevice) {
  const { name = null, vendorId = null, productId = null, serialNumber = null } = port;
  const { board = null, finding = null } = port;
  return { ...port, name, vendorId, productId, serialNumber, board, finding };
}

function reportText(report: DevicesReport): string {
  const { ports, notes } = report;
  const rows = ports.map((port) => [port.path, port.verdict, appearance(port), asArgument(port.uri)]);
  const table = formatTable(rows, { header: ['port', 'verdict', 'what it is', '--device'] });
  const parts = [
    ports.length === 0 ? 'No serial ports.\n' : table,
    adviceText(ports),
    [...notes, conclusion(report)].map((line) => (line === '' ? '' : `${line}\n`)).join(''),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function appearance({ board, name, vendorId, productId, serialNumber }: ListedDevice): string {
  if (board)
    return `${board.model}, ${board.serialNumber}, firmware ${board.firmwareVersion}, ${counted(board.cells, 'cell')}`;
  const usb = vendorId === undefined ? [] : [`${vendorId}:${productId}`];
  const parts = [...(name === undefined ? [] : [name]), ...usb, ...(serialNumber ? [serialNumber] : [])];
  return parts.length === 0 ? 'not on USB' : parts.join(' ');
}

/** The advice for each port. Ports with the same advice share a line. */
function adviceText(ports: readonly ListedDevice[]): string {
  const paths = new Map<string, string[]>();
  for (const { path, finding, advice } of ports) {
    const text = finding === undefined ? advice : `${finding} ${advice}`;
    paths.set(text, [...(paths.get(text) ?? []), path]);
  }
  return [...paths].map(([text, all]) => `${all.join(', ')}: ${text}\n`).join('');
}

function conclusion({ ports, candidates, probed }: DevicesReport): string {
  const [first] = candidates;
  if (ports.length === 0) return '';
  if (first === undefined) return probed ? 'No board answered.' : 'No port looks like a board.';
  const paths = candidates.map(({ path }) => path).join(' and ');
  if (candidates.length > 1)
    return probed
      ? `${candidates.length} boards answered (${paths}): name the one you mean by --device.`
      : `${candidates.length} ports look equally like a board (${paths}): ask them by --probe, or name one by --device.`;
  if (probed || first.verdict === 'ours') return `Try: thermolink info --device ${asArgument(first.uri)}`;
  if (first.verdict !== 'unknown')
    return `The likeliest is ${first.path}; first follow the advice about it above.`;
  return `The likeliest is ${first.path}; to be sure, ask it: thermolink devices --probe`;
}
