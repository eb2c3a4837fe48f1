import type { DeviceIdentity } from '../../../driver/device-api.js';
import { checkWritable, writeText } from '../../../files/write-array.js';
import { calibrate, checkCalibrateRequest } from '../../../measure/calibrate.js';
import {
  type CalibrationRecord,
  calibrationRecordOf,
  VALID_DAYS_MAX,
} from '../../../measure/calibration-record.js';
import { counted, formatCount, formatNumber, formatPercent, formatSeconds } from '../../../number-text.js';
import { boardCommand } from '../../board-command.js';
import { MEASURING } from '../../options/groups.js';
import { negation, option } from '../../options/option.js';
import { positiveInteger } from '../../options/values.js';
import { repeatRows } from '../../output/board-warnings.js';
import { formatTable } from '../../output/table.js';
import { measureUnfinished } from '../../output/unfinished-file.js';

export const command = boardCommand({
  options: {
    out: option('--out <file>', 'write the record there (default: calibration-MODEL-SERIAL.json)', {
      file: 'output',
    }),
    crosspoints: negation(
      '--no-crosspoints',
      'calibrate cells alone; boards of more than 256 cells have no other',
    ),
    validDays: option('--valid-days <n>', 'refused after so many days', {
      value: positiveInteger(VALID_DAYS_MAX),
      default: 30,
    }),
    ...MEASURING,
  },
  fallback: 'emulator:prototype-64',
  example: `
What is measured, and what it is worth: docs/how-to/calibrate.md. An interrupted calibration goes on where it was
when the same command is given again within a day.

Example:
  printf '4,1\\n1,3\\n' > A.csv; printf '1\\n2\\n' > b.csv
  thermolink calibrate --device 'emulator:prototype-8?die=3' --out die-3.json
  thermolink solve --matrix A.csv --rhs b.csv --device 'emulator:prototype-8?die=3' --calibration die-3.json`,
  async run({ out, crosspoints, validDays, seed, samples }, onBoard) {
    const request = { seed, samples, ...(crosspoints ? {} : { crosspoints }) };
    checkCalibrateRequest(request);
    const { result, device, hostSeconds, repeats } = await onBoard(async (board, { signal, show }) => {
      const file = out ?? nameOf(board.identity);
      if (out === undefined) await checkWritable(file);
      const key = { command: 'calibrate', board: board.identity, request };
      const measured = await measureUnfinished(`${file}.unfinished`, key, (finished) =>
        calibrate(board, { ...request, signal, finished, onProgress: show }),
      );
      return { file, ...measured };
    });
    const record = calibrationRecordOf(result.result, new Date(), validDays);
    await writeText(result.file, `${JSON.stringify(record)}\n`);
    result.remove();
    const report = { record, file: result.file, device, hostSeconds, repeats };
    return { json: jsonOf(report), text: reportText(report) };
  },
});

interface Report {
  readonly record: CalibrationRecord;
  readonly file: string;
  readonly device: string;
  readonly hostSeconds: number;
  readonly repeats: number;
}

/** `calibration-prototype-64-die-3.json`. */
function nameOf({ model, serialNumber }: DeviceIdentity): string {
  const plain = `${model}-${serialNumber}`.replace(/[^A-Za-z0-9._]+/g, '-').replace(/^-+|-+$/g, '');
  return `calibration-${plain}.json`;
}

function jsonOf({ record, file, device, hostSeconds, repeats }: Report) {
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
    repeats,
    timing: { hostSeconds },
  };
}

function reportText(report: Report): string {
  const { record, file, device, hostSeconds, repeats } = report;
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
        `${formatNumber(residuals.nominal)} of the drive, ${counted(residuals.runs, 'board run')} of other programs`,
      ],
      ['residual after', formatNumber(residuals.calibrated)],
    );
  if (uncalibrated.length > 0) rows.push(['cells that do not follow', uncalibrated.join(', ')]);
  rows.push(
    ['valid until', expiresAt],
    ['written to', file],
    ['device', device],
    ...repeatRows({ repeats }),
    ['host time', formatSeconds(hostSeconds)],
  );
  return formatTable(rows);
}
