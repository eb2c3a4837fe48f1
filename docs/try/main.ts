import {
  connectSerial,
  connectWorker,
  type Device,
  type DeviceEvent,
  requestSerialPort,
  ThermolinkError,
} from '../../src/web/index.js';
import { LINES_MAX, RelaxationChart, short } from './chart.js';
import { covarianceError, runOn, type Show } from './experiment.js';
import { BadProblem, type Problem, readProblem } from './problem.js';
import { showMatrix, showSolution } from './tables.js';

const EXAMPLES: Readonly<Record<string, { readonly matrix: string; readonly drive: string }>> = {
  two: { matrix: '4 1\n1 3', drive: '1\n2' },
  chain: {
    matrix: Array.from({ length: 8 }, (_, i) =>
      Array.from({ length: 8 }, (_, j) => (i === j ? 2 : Math.abs(i - j) === 1 ? -1 : 0))
        .map((entry) => String(entry).padStart(2))
        .join(' '),
    ).join('\n'),
    drive: '1\n0\n0\n0\n0\n0\n0\n1',
  },
  correlated: { matrix: '3 -1 -1\n-1 3 -1\n-1 -1 3', drive: '1\n0\n-1' },
};

const byId = (id: string): HTMLElement => document.getElementById(id)!;
const form = document.querySelector<HTMLFormElement>('#form')!;
const matrixField = document.querySelector<HTMLTextAreaElement>('#matrix')!;
const driveField = document.querySelector<HTMLTextAreaElement>('#drive')!;
const example = document.querySelector<HTMLSelectElement>('#example')!;
const [run, stop] = [
  document.querySelector<HTMLButtonElement>('#run')!,
  document.querySelector<HTMLButtonElement>('#stop')!,
];
const [connectButton, disconnectButton] = [
  document.querySelector<HTMLButtonElement>('#connect')!,
  document.querySelector<HTMLButtonElement>('#disconnect')!,
];

/** The board on USB while it is connected. */
let usbBoard: Device | undefined;
let working: AbortController | undefined;

const isUsb = (): boolean => new FormData(form).get('board') === 'usb';

function say(text: string): void {
  byId('status').textContent = text;
}

/** Shows what went wrong and what to do; the field that is to be mended gets the focus. */
function showError(error: unknown): void {
  const [what, advice] =
    error instanceof BadProblem
      ? [error.message, error.advice]
      : error instanceof ThermolinkError
        ? [error.message, error.hint]
        : [`This page has a bug: ${String(error)}`, undefined];
  const lines = [what, advice].filter((text) => text !== undefined);
  byId('error').replaceChildren(
    ...lines.map((text) => {
      const line = document.createElement('p');
      line.textContent = text;
      return line;
    }),
  );
  say('');
  if (!(error instanceof BadProblem)) return;
  const field = error.field === 'matrix' ? matrixField : driveField;
  field.setAttribute('aria-invalid', 'true');
  field.focus();
}

function clearError(): void {
  byId('error').replaceChildren();
  for (const field of [matrixField, driveField]) field.removeAttribute('aria-invalid');
}

function tellEvent({ kind }: DeviceEvent): void {
  if (kind === 'disconnected')
    say('The board was unplugged. Plug it in again: this page looks for it for 30 s.');
  else if (kind === 'resumed' || kind === 'reconnected') say('The board is back.');
}

/** What the parts of the page show of one run. */
function shows(problem: Problem): Show {
  const chart = new RelaxationChart(byId('chart'), problem.solution);
  const scale = Math.max(...problem.inverse.data.map(Math.abs));
  const hidden = problem.solution.length - LINES_MAX;
  byId('relaxation-text').textContent =
    `Lines are voltages in units of x; dashed lines are the exact solution.${hidden > 0 ? ` The first ${LINES_MAX} of ${problem.solution.length} cells are drawn.` : ''}`;
  return {
    status: say,
    reading(time, voltages, timeMax) {
      byId('relaxation').hidden = false;
      chart.add(time, voltages, timeMax);
    },
    solution(x, standardError, boardSeconds) {
      byId('solution').hidden = false;
      byId('solution-text').textContent =
        `The board took ${short(boardSeconds * 1e6)} µs (modelled). This includes the corrections until the error is below one part in a thousand.`;
      showSolution(byId('solution-rows'), x, standardError, problem.solution);
    },
    covariance(covariance, draws) {
      byId('covariance').hidden = false;
      const { largest, byChance } = covarianceError(covariance, problem.inverse, draws);
      byId('covariance-text').textContent =
        `${draws} draws. The largest difference is ${(100 * largest).toFixed(1)} %. With so many draws, chance alone causes about ${(100 * byChance).toFixed(1)} %.`;
      showMatrix(byId('measured'), covariance, scale);
      showMatrix(byId('exact'), problem.inverse, scale);
    },
  };
}

/** Runs `work`. Meanwhile the buttons that would start other work are disabled. */
async function alone(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  if (working) return;
  working = new AbortController();
  clearError();
  for (const button of [run, connectButton, disconnectButton]) button.disabled = true;
  stop.disabled = false;
  try {
    await work(working.signal);
  } catch (error) {
    if (working.signal.aborted) say('Stopped.');
    else showError(error);
  } finally {
    working = undefined;
    for (const button of [run, connectButton, disconnectButton]) button.disabled = false;
    stop.disabled = true;
  }
}

async function runProblem(signal: AbortSignal): Promise<void> {
  const problem = readProblem(matrixField.value, driveField.value);
  for (const id of ['relaxation', 'solution', 'covariance']) byId(id).hidden = true;
  const usb = isUsb();
  if (usb && !usbBoard)
    throw new ThermolinkError('NO_ANSWER', 'No board is connected.', {
      hint: 'Choose the port of the board first, or take the emulated board.',
    });
  say('The board starts.');
  const profile = document.querySelector<HTMLSelectElement>('#profile')!.value;
  const device = usb ? usbBoard! : await connectWorker({ profile, signal });
  try {
    if (problem.matrix.rows > device.identity.cells)
      throw new BadProblem(
        'matrix',
        `The matrix has ${problem.matrix.rows} rows, but this board has ${device.identity.cells} cells.`,
        'Choose a larger board or a smaller matrix.',
      );
    await runOn(device, problem, shows(problem), signal);
    say('Done.');
  } finally {
    if (!usb) await device.close();
  }
}

async function connectUsb(signal: AbortSignal): Promise<void> {
  const typed = document.querySelector<HTMLInputElement>('#baud')!.value.trim();
  if (typed !== '' && !/^[1-9]\d{0,7}$/.test(typed))
    throw new ThermolinkError('BAD_ARGUMENT', `The baud rate “${typed}” is not a whole number.`, {
      hint: 'Leave it empty, or write a number like 115200.',
    });
  // The browser shows its list of ports only while it handles a click, so no `await` may come before this
  // call.
  const port = await requestSerialPort();
  say('The page says hello to the board.');
  const baudRate = typed === '' ? undefined : Number(typed);
  await usbBoard?.close();
  usbBoard = undefined;
  showIdentity(undefined);
  usbBoard = await connectSerial(port, { baudRate, signal, onEvent: tellEvent });
  const { model, serialNumber, cells } = usbBoard.identity;
  showIdentity(`${model}, serial number ${serialNumber}, ${cells} cells.`);
  say('The board is connected.');
}

async function disconnectUsb(): Promise<void> {
  await usbBoard?.close();
  usbBoard = undefined;
  showIdentity(undefined);
  say('The board is disconnected.');
}

function showIdentity(text: string | undefined): void {
  byId('identity').textContent = text ?? 'No board is connected.';
  disconnectButton.hidden = text === undefined;
}

function showExample(): void {
  const { matrix, drive } = EXAMPLES[example.value] ?? {};
  if (matrix === undefined || drive === undefined) return;
  matrixField.value = matrix;
  driveField.value = drive;
  clearError();
}

function showSettings(): void {
  byId('emulated-settings').hidden = isUsb();
  byId('usb-settings').hidden = !isUsb();
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void alone(runProblem);
});
stop.addEventListener('click', () => working?.abort());
connectButton.addEventListener('click', () => void alone(connectUsb));
disconnectButton.addEventListener('click', () => void alone(disconnectUsb));
example.addEventListener('change', showExample);
byId('board').addEventListener('change', showSettings);
for (const field of [matrixField, driveField])
  field.addEventListener('input', () => {
    example.value = 'own';
  });
showExample();
showSettings();
