import type { Command } from 'commander';
import type { Device } from '../../driver/device.js';
import { deviceUri, withDevice } from '../device.js';
import { addLogOptions, type LogOptions } from '../logging.js';
import { formatSeconds } from '../output/format.js';
import { withInterrupt } from '../output/interrupt.js';
import { formatTable } from '../output/table.js';

const EXAMPLE = `
Example:
  thermolink info --device emulator:ideal-64`;

interface InfoOptions extends LogOptions {
  readonly device?: string;
  readonly json?: true;
}

export function addInfoCommand(program: Command): void {
  addLogOptions(program.command('info'))
    .description('show what a board is, what it can hold, its state and counters')
    .option('--device <uri>', 'which board (default: emulator:ideal-crossbar)')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLE)
    .action(async (options: InfoOptions) => {
      const uri = deviceUri(options.device, 'emulator:ideal-crossbar');
      const report = await withInterrupt((signal) =>
        withDevice(uri, options, signal, (device) => readReport(uri, device, signal)),
      );
      process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : reportText(report));
    });
}

async function readReport(uri: string, device: Device, signal: AbortSignal) {
  return {
    device: uri,
    identity: device.identity,
    status: await device.readStatus({ signal }),
    counters: await device.readCounters({ signal }),
    roundTripMs: await device.ping({ signal }),
  };
}

function reportText({
  device,
  identity,
  status,
  counters,
  roundTripMs,
}: Awaited<ReturnType<typeof readReport>>): string {
  const { cells, rows, couplingBits, driveBits, adcBits, tauNs, tickLog2 } = identity;
  const arrays = [
    ...(identity.hasDense ? [`dense ${cells} × ${cells}`] : []),
    ...(identity.hasFactored ? [`factored ${rows} × ${cells}`] : []),
  ];
  const lines = [
    ['device', device],
    ['board', `${identity.model}, ${identity.serialNumber}, firmware ${identity.firmwareVersion}`],
    ['cells', String(cells)],
    ['arrays', arrays.join(', ')],
    ['converters', `couplings ${couplingBits} bit, drive ${driveBits} bit, ADC ${adcBits} bit`],
    ['time', `τ = ${formatSeconds(tauNs * 1e-9)}, one tick = τ/${2 ** tickLog2}`],
    ['full scale', `${identity.fullScaleMicrovolts / 1e6} V, rails at ${identity.rail / 2 ** 24} of it`],
    ['noise', `κ from ${identity.noiseTemperatureMin * 1e-12} V_fs²`],
    ['programs', `${identity.banks} banks`],
    [
      'state',
      `${status.state}${status.fault === 'none' ? '' : `, fault ${status.fault}`}, boot ${status.bootEpoch}`,
    ],
    ['round trip', formatSeconds(roundTripMs / 1000)],
  ];
  const counted = Object.entries(counters).map(([name, count]) => [name, String(count)]);
  return `${formatTable(lines)}\ncounted by the board since boot:\n${formatTable(counted, { align: ['left', 'right'] })}`;
}
