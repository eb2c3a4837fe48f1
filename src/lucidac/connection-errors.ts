import { ThermolinkError } from '../errors.js';

/** The name of each question in error messages. */
const NAMES = {
  resetCommand: 'a reset',
  extractCommand: 'the request for its parts',
  configCommand: 'a configuration',
  startRunCommand: 'a run',
  stopRunCommand: 'a stop',
  overloadCommand: 'the request for overloads',
  calibrationCommand: 'a calibration',
  ping: 'a ping',
} as const;

/** A question to the machine. */
export type Question = keyof typeof NAMES;

/** Longest part of a text from the machine that is shown. */
const TEXT_MAX = 200;

/** A text from the machine, on one line. */
export function shownText(text: string): string {
  const line = text.replace(/[\p{C}\s]+/gu, ' ').trim();
  return line.length > TEXT_MAX ? `${line.slice(0, TEXT_MAX)}…` : line;
}

/** The machine answered a command with an error: DEVICE_REFUSED with its text. */
export function refusedError(
  command: Question,
  { code, description }: { readonly code: number; readonly description: string },
): ThermolinkError {
  const reason = shownText(description) || `error ${code}`;
  return new ThermolinkError('DEVICE_REFUSED', `The LUCIDAC refused ${NAMES[command]}: ${reason}.`, {
    hint: 'The reason is the text of the machine. `thermolink info` shows the parts of the machine. A reset at its front panel clears the settings of another program.',
    data: { command, code, description: shownText(description) },
  });
}

/** The connection ended: LINK_LOST. */
export function lostError(name: string, badMessages: number, cause: Error | undefined): ThermolinkError {
  return new ThermolinkError('LINK_LOST', `The connection to ${name} ended.`, {
    cause,
    retryable: true,
    hint: 'Check the cable and that the LUCIDAC is on, then try again.',
    data: { badMessages },
  });
}

/** The first bytes are of another protocol: NOT_A_BOARD. */
export function notABoardError(name: string, firstBytes: Uint8Array): ThermolinkError {
  const shown = [...firstBytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return new ThermolinkError(
    'NOT_A_BOARD',
    `${name} does not use the protocol of a LUCIDAC: its data begin with ${shown}.`,
    {
      hint: 'Check host and port; a LUCIDAC listens on port 5732. The URI of a board of this project is tcp://HOST:PORT.',
      data: { firstBytes: [...firstBytes] },
    },
  );
}

/** A question was not answered in time: TIMEOUT, or NO_ANSWER if the machine has never sent a message. */
export function silenceError(
  what: Question,
  {
    name,
    timeoutMs,
    badMessages,
    isUnderstood,
  }: {
    readonly name: string;
    readonly timeoutMs: number;
    readonly badMessages: number;
    readonly isUnderstood: boolean;
  },
): ThermolinkError {
  const bad = badMessages === 0 ? '' : `; ${badMessages} messages could not be read`;
  return new ThermolinkError(
    isUnderstood ? 'TIMEOUT' : 'NO_ANSWER',
    `The LUCIDAC at ${name} did not answer ${NAMES[what]} within ${Math.round(timeoutMs)} ms${bad}.`,
    {
      retryable: true,
      hint: 'Check that the LUCIDAC is on and that no other program uses it, then try again.',
      data: { timeoutMs, badMessages },
    },
  );
}

/** BUSY: another client uses the machine. */
export function busyError(name: string): ThermolinkError {
  return new ThermolinkError('BUSY', `The LUCIDAC at ${name} serves another client.`, {
    retryable: true,
    hint: 'Close the other program, or wait until it has finished.',
  });
}
