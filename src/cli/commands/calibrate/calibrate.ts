import { refuseForeign } from '../../../board/calibration.js';
import type { DeviceIdentity } from '../../../driver/device-api.js';
import { ThermolinkError } from '../../../errors.js';
import { checkWritable, writeText } from '../../../files/write-array.js';
import { calibrate, checkCalibrateRequest } from '../../../measure/calibrate.js';
import {
  type CalibrationRecord,
  calibrationRecordOf,
  VALID_DAYS_MAX,
} from '../../../measure/calibration-record.js';
import { packCalibration, unpackCalibration } from '../../../measure/kept-calibration.js';
import { counted, formatCount, formatNumber, formatPercent, formatSeconds } from '../../../number-text.js';
import { boardCommand, type OnBoard } from '../../board-command.js';
import type { Report as PrintedReport } from '../../command.js';
import { calibrationNow } from '../../input/read-calibration.js';
import { sessionTime } from '../../input/session-time.js';
import { MEASURING } from '../../options/groups.js';
import { flag, negation, option } from '../../options/option.js';
import { positiveInteger } from '../../options/values.js';
import { repeatRows } from '../../output/board-warnings.js';
import { formatTable } from '../../output/table.js';
import { measureUnfinished } from '../../output/unfinished-file.js';

export const command = boardCommand({
  options: {
    out: option('--out <file>', 'write the record to this file (default: calibration-MODEL-SERIAL.json)', {
      file: 'output',
      dash: { kind: 'refused', why: 'an interrupted calibration goes on from a file beside it' },
    }),
    crosspoints: negation(
      '--no-crosspoints',
      'calibrate only the cells, not the couplings; with more than 256 cells this is always done',
    ),
    validDays: option('--valid-days <n>', 'number of days after which solves refuse the record', {
      value: positiveInteger(VALID_DAYS_MAX),
      default: 30,
    }),
    keep: flag('--keep', 'store the record in the board too'),
    fetch: flag('--fetch', 'measure nothing, only write the record stored in the board to --out'),
    ...MEASURING,
  },
  fallback: 'emulator:prototype-64',
  example: `
A board can keep the record and give it to every host: --keep stores it in the board, --fetch writes it to a file.
docs/how-to/calibrate.md describes the measurements and their benefit. To continue an interrupted calibration, give the
same command again within a day.

Example:
  printf '4,1\\n1,3\\n' > A.csv; printf '1\\n2\\n' > b.csv
  thermolink calibrate --device 'emulator:prototype-8?die=3' --out die-3.json
  thermolink solve --matrix A.csv --rhs b.csv --device 'emulator:prototype-8?die=3' --calibration die-3.json`,
  async run({ out, crosspoints, validDays, seed, samples, keep, fetch }, onBoard) {
    if (fetch) return fetchRecord(out, onBoard);
    const request = { seed, samples, ...(crosspoints ? {} : { crosspoints }) };
    checkCalibrateRequest(request);
    const { result, device, hostSeconds, repeats } = await onBoard(async (board, { uri, signal, show }) => {
      const file = out ?? nameOf(board.identity);
      if (out === undefined) await checkWritable(file);
      const key = { command: 'calibrate', board: board.identity, request };
      const measured = await measureUnfinished(`${file}.unfinished`, key, (finished) =>
        calibrate(board, { ...request, signal, finished, onProgress: show }),
      );
      const record = calibrationRecordOf(measured.result, await sessionTime(uri), validDays);
      if (keep) await board.keepCalibration(packCalibration(record), { signal });
      return { file, record, ...measured };
    });
    const { record } = result;
    await writeText(result.file, `${JSON.stringify(record)}\n`);
    result.remove();
    const report = { record, isKept: keep === true, file: result.file, device, hostSeconds, repeats };
    return { json: jsonOf(report), text: reportText(report) };
  },
});

/** Writes the record that the board keeps to a file. */
async function fetchRecord(out: string | undefined, onBoard: OnBoard): Promise<PrintedReport> {
  const { result, device, hostSeconds } = await onBoard(async (board, { uri, signal }) => {
    const bytes = await board.readCalibration({ signal });
    if (bytes === undefined)
      throw new ThermolinkError('BAD_CALIBRATION', `${board.name} has no calibration record at present.`, {
        hint: 'Calibrate it, and let it keep the record: thermolink calibrate --keep.',
      });
    const record = unpackCalibration(bytes);
    refuseForeign((await calibrationNow(record, uri)).board, board.identity);
    const file = out ?? nameOf(board.identity);
    if (out === undefined) await checkWritable(file);
    return { file, record: record as CalibrationRecord };
  });
  await writeText(result.file, `${JSON.stringify(result.record)}\n`);
  const { measuredAt, expiresAt, board } = result.record;
  const { model, serialNumber, cells } = board;
  const rows = [
    ['board', `${model}, ${serialNumber}`],
    ['measured at', measuredAt],
    ['valid until', expiresAt],
    ['written to', result.file],
    ['device', device],
  ];
  return {
    json: {
      file: result.file,
      measuredAt,
      expiresAt,
      board: { model, serialNumber, cells },
      device,
      timing: { hostSeconds },
    },
    text: formatTable(rows),
  };
}

interface Report {
  readonly record: CalibrationRecord;
  readonly isKept: boolean;
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

function jsonOf({ record, isKept, file, device, hostSeconds, repeats }: Report) {
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
    keptByBoard: isKept,
    device,
    repeats,
    timing: { hostSeconds },
  };
}

function reportText(report: Report): string {
  const { record, isKept, file, device, hostSeconds, repeats } = report;
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
        `${formatNumber(residuals.nominal)} of the drive, ${counted(residuals.runs, 'board run')} of programs outside the calibration`,
      ],
      ['residual after', formatNumber(residuals.calibrated)],
    );
  if (uncalibrated.length > 0) rows.push(['cells whose readings do not follow', uncalibrated.join(', ')]);
  rows.push(
    ['measured at', record.measuredAt],
    ['valid until', validText(expiresAt)],
    ['written to', isKept ? `${file} and the board` : file],
    ['device', device],
    ...repeatRows({ repeats }),
    ['host time', formatSeconds(hostSeconds)],
  );
  return formatTable(rows);
}

/** The end of the validity. The calibration of a replay has the time of its recording, so it may be past. */
function validText(expiresAt: string): string {
  const isPast = new Date(expiresAt) <= new Date();
  return isPast ? `${expiresAt}, which is past: only a replay accepts this record` : expiresAt;
}
