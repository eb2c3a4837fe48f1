import type { Device, DeviceCounters } from '../../../driver/device.js';
import { formatBytes, formatCount, formatSeconds } from '../../../number-text.js';
import { boardCommand } from '../../board-command.js';
import { formatTable } from '../../output/table.js';
import { limitRows, sizeRows } from './board-rows.js';

export const command = boardCommand({
  options: {},
  fallback: 'emulator:ideal-crossbar',
  example: `
Example:
  thermolink info --device emulator:ideal-64`,
  async run(_options, onBoard, onLucidac) {
    if (onLucidac !== undefined) {
      const { lucidacReport } = await import('./lucidac-info.js');
      return lucidacReport(onLucidac);
    }
    const { result, device } = await onBoard((board, { signal }) => readFacts(board, signal));
    const report = { device, ...result };
    return { json: report, text: infoText(report) };
  },
});

/** Reads identity, status and counters of a board. Errors: those of a call on the device. */
export async function readFacts(device: Device, signal: AbortSignal) {
  return {
    identity: device.identity,
    status: await device.readStatus({ signal }),
    counters: await device.readCounters({ signal }),
    link: { payloadBytesMax: device.payloadBytesMax, counters: device.linkCounters },
    roundTripMs: await device.ping({ signal }),
  };
}

/** The counters of both ends. */
interface CountedLink {
  readonly counters: DeviceCounters;
  readonly link: { readonly counters: Device['linkCounters'] };
}

type Report = Awaited<ReturnType<typeof readFacts>> & { readonly device: string };

/** The output about a board. */
export function infoText(report: Report): string {
  const sections: [string, string[][]][] = [
    ['board', identityRows(report)],
    ['sizes', sizeRows(report.identity)],
    ['limits', [...limitRows(report.identity), payloadRow(report)]],
    ['state', stateRows(report)],
  ];
  const tables = sections.map(([title, rows]) => `${title}\n${formatTable(rows)}`);
  return [...tables, counterTable(report)].join('\n');
}

function identityRows({ device, identity, roundTripMs }: Report): string[][] {
  return [
    ['device', device],
    ['model', identity.model],
    ['serial number', identity.serialNumber],
    ['firmware', identity.firmwareVersion],
    ['round trip', formatSeconds(roundTripMs / 1000)],
  ];
}

const payloadRow = ({ link }: Report): string[] => [
  'payload of a frame',
  `at most ${formatBytes(link.payloadBytesMax)}`,
];

function stateRows({ status }: Report): string[][] {
  const { state, fault, bootEpoch, runId, tick, stopNumber, committedBanks, stateDigest } = status;
  return [
    ['state', state],
    ['fault', fault],
    ['boot', String(bootEpoch)],
    ['board run', runId === 0 ? 'none since boot' : `${runId}, at tick ${formatCount(tick)}`],
    ['last stop', stopNumber === 0 ? 'none' : `number ${stopNumber}`],
    ['banks with a program', banksOf(committedBanks)],
    ['digest of the cells', stateDigest.toString(16).padStart(8, '0')],
  ];
}

/** The numbers of the banks in a mask. Bit b of the mask stands for bank b. */
function banksOf(mask: number): string {
  const banks = Array.from({ length: 32 }, (_, bank) => bank).filter((bank) => (mask >>> bank) & 1);
  return banks.length === 0 ? 'none' : banks.join(', ');
}

/** The counters of both ends of the link. A counter that only one end has leaves a gap. */
export function counterTable({ counters, link }: CountedLink): string {
  const board = new Map<string, unknown>(Object.entries(counters));
  const { faults, ...counted } = link.counters;
  const faulty = Object.entries(faults).map(([kind, count]): [string, unknown] => [`faults.${kind}`, count]);
  const host = new Map<string, unknown>([...Object.entries(counted), ...faulty]);
  const names = new Set([...board.keys(), ...host.keys()]);
  const shown = (count: unknown): string => (typeof count === 'number' ? formatCount(count) : '');
  return formatTable(
    [...names].map((name) => [name, shown(board.get(name)), shown(host.get(name))]),
    { header: ['counters', 'board, since boot', 'host, this session'], align: ['left', 'right', 'right'] },
  );
}
