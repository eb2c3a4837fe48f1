import type { Command } from 'commander';
import type { DeviceIdentity } from '../../../driver/device-api.js';
import { checkWritable } from '../../../files/write-array.js';
import { replaceFile } from '../../../learning/checkpoint.js';
import { calibrate, checkCalibrateRequest } from '../../../measure/calibrate.js';
import { type CalibrationRecord, calibrationRecordOf } from '../../../measure/calibration-record.js';
import { deviceUri, withDevice } from '../../device.js';
import { addLogOptions, type LogOptions } from '../../logging.js';
import { positiveInteger } from '../../options.js';
import { formatCount, formatNumber, formatPercent, formatSeconds } from '../../output/format.js';
import { withInterrupt } from '../../output/interrupt.js';
import { formatTable } from '../../output/table.js';
import { WorkDisplay } from '../../output/work-display.js';
import {
  addMeasuringOptions,
  type MeasuringOptions,
  measuringRequest,
} from '../characterize/measuring-options.js';

const EXAMPLE = `
What is measured, and what it is worth: docs/how-to/calibrate.md.

Example:
  printf '4,1\\n1,3\\n' > A.csv; printf '1\\n2\\n' > b.csv
  thermolink calibrate --device 'emulator:prototype-8?die=3' --out die-3.json
  thermolink solve --matrix A.csv --rhs b.csv --device 'emulator:prototype-8?die=3' --calibration die-3.json`;

const FALLBACK = 'emulator:prototype-64';
const VALID_DAYS_MAX = 3650;

interface CalibrateOptions extends LogOptions, MeasuringOptions {
  readonly device?: string;
  readonly crosspoints: boolean;
  readonly validDays: number;
  readonly out?: string;
  readonly json?: true;
}

export function addCalibrateCommand(program: Command): void {
  addMeasuringOptions(addLogOptions(program.command('calibrate')))
    .description('measure a board so that solves can compensate its errors')
    .option('--device <uri>', `which board (default: ${FALLBACK})`)
    .option('--out <file>', 'write the record there (default: calibration-MODEL-SERIAL.json)')
    .option('--no-crosspoints', 'calibrate cells alone; boards of more than 256 cells have no other')
    .option(
      '--valid-days <n>',
      'refused after so many days',
      positiveInteger('--valid-days', VALID_DAYS_MAX),
      30,
    )
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLE)
    .action(async (options: CalibrateOptions) => {
      const report = await withInterrupt((signal) => run(options, signal));
      process.stdout.write(options.json ? `${JSON.stringify(jsonOf(report))}\n` : reportText(report));
    });
}

interface Report {
  readonly record: CalibrationRecord;
  readonly file: string;
  readonly device: string;
  readonly hostSeconds: number;
}

async function run(options: CalibrateOptions, signal: AbortSignal): Promise<Report> {
  const { crosspoints, out } = options;
  const display = new WorkDisplay('calibrate', 1, options.json === true);
  const request = {
    ...measuringRequest(options, display, signal),
    ...(crosspoints ? {} : { crosspoints }),
  };
  checkCalibrateRequest(request);
  if (out !== undefined) await checkWritable(out);
  const uri = deviceUri(options.device, FALLBACK);
  const startMs = performance.now();
  try {
    const { file, result } = await withDevice(uri, options, signal, async (device) => {
      const name = out ?? nameOf(device.identity);
      if (out === undefined) await checkWritable(name);
      return { file: name, result: await calibrate(device, request) };
    });
    display.finish();
    const record = calibrationRecordOf(result, new Date(), options.validDays);
    replaceFile(file, `${JSON.stringify(record)}\n`);
    return { record, file, device: uri, hostSeconds: (performance.now() - startMs) / 1000 };
  } finally {
    display.finish();
  }
}

/** `calibration-prototype-64-die-3.json`. */
function nameOf({ model, serialNumber }: DeviceIdentity): string {
  const plain = `${model}-${serialNumber}`.replace(/[^A-Za-z0-9._]+/g, '-').replace(/^-+|-+$/g, '');
  return `calibration-${plain}.json`;
}

function jsonOf({ record, file, device, hostSeconds }: Report) {
  const { measuredAt, expiresAt, board, method, residuals, uncalibrated, couplingErrors } = record;
  const { model, serialNumber, cells } = board;
  return {
    file,
    measuredAt,
    expiresAt,
    board: { model, serialNumber, cells },
    method,
    crosspoints: couplingErrors === null ? 0 : couplingErrors.values.length,
    residuals,
    uncalibrated,
    device,
    timing: { hostSeconds },
  };
}

function reportText(report: Report): string {
  const { record, file, device, hostSeconds } = report;
  const { board, couplingErrors, residuals, uncalibrated, expiresAt } = record;
  const rows = [
    ['board', `${board.model}, ${board.serialNumber}`],
    ['cells', formatCount(board.cells)],
    [
      'crosspoints',
      couplingErrors === null
        ? 'not measured'
        : `${formatCount(couplingErrors.values.length)}, each within ${formatPercent(couplingErrors.standardError, 3)}`,
    ],
  ];
  if (residuals !== null)
    rows.push(
      [
        'residual before',
        `${formatNumber(residuals.nominal)} of the drive, ${residuals.runs} runs of other programs`,
      ],
      ['residual after', formatNumber(residuals.calibrated)],
    );
  if (uncalibrated.length > 0) rows.push(['cells that do not follow', uncalibrated.join(', ')]);
  rows.push(
    ['valid until', expiresAt],
    ['written to', file],
    ['device', device],
    ['host time', formatSeconds(hostSeconds)],
  );
  return formatTable(rows);
}
