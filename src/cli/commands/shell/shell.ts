import { createInterface } from 'node:readline';
import { ThermolinkError } from '../../../errors.js';
import { defineCommand } from '../../command.js';
import { deviceFile, deviceUri, withDevice } from '../../device.js';
import { checkFiles } from '../../input/check-files.js';
import { deviceOption, JSON_OUTPUT, LOG, RECORD, RETRY } from '../../options/groups.js';
import { withInterrupt } from '../../output/interrupt.js';
import { EXIT_FAILED, QuietExit, reportError } from '../../output/report-error.js';
import { waitForBoard } from '../../wait-for-board.js';
import { HISTORY_LINES_MAX, readHistory, writeHistory } from './history.js';
import { completeLine, findCommand, helpText, wordsOf } from './shell-commands.js';

const FALLBACK = 'emulator:ideal-8';
const PROMPT = 'thermolink> ';
/** Longest wait for the board after `reset` or `connect` has ended the connection, s. */
const COME_BACK_SECONDS = 15;

const OPTIONS = { ...deviceOption(FALLBACK), ...JSON_OUTPUT, ...RETRY, ...RECORD, ...LOG };

const EXAMPLE = `
Example:
  thermolink shell --device serial:/dev/ttyACM0

Reads commands for one board, one on each line; \`help\` lists them. Tab completes a command. The arrow keys bring back
the lines of earlier shells. Ctrl-C ends the running command, Ctrl-D the shell. A command that fails prints its error, and
the shell continues. Lines may come from a pipe: \`printf 'ping\\nstop\\n' | thermolink shell\`; the exit code is then 1 if
a command failed.
With --json each command prints one line of JSON.`;

/** How the lines of one connection ended. */
type Ending = 'end' | 'reconnect';

export const command = defineCommand({
  options: OPTIONS,
  example: EXAMPLE,
  async run(options) {
    await checkFiles(OPTIONS, options, { '--device': deviceFile(options.device) });
    const uri = deviceUri(options.device, FALLBACK);
    const failures = await withInterrupt((signal) => runShell(uri, options, signal));
    if (failures > 0 && !process.stdin.isTTY) throw new QuietExit(EXIT_FAILED);
  },
});

type ShellOptions = Parameters<typeof withDevice>[1] & { readonly json: true | undefined };

/** Reads and executes lines until there are no more. Returns how many commands failed. */
async function runShell(uri: string, options: ShellOptions, signal: AbortSignal): Promise<number> {
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY;
  const json = options.json === true;
  const history = isTerminal ? readHistory() : [];
  const lines = createInterface({
    input: process.stdin,
    ...(isTerminal && { output: process.stdout }),
    terminal: isTerminal,
    prompt: PROMPT,
    historySize: HISTORY_LINES_MAX,
    history,
    removeHistoryDuplicates: true,
    completer: completeLine,
  });
  // This must come before the first await: readline drops the lines that arrive before the iterator exists.
  const input = lines[Symbol.asyncIterator]();
  let newest: string[] = history;
  lines.on('history', (kept) => (newest = kept));
  let running: AbortController | undefined;
  lines.on('SIGINT', () => {
    if (running) running.abort(new ThermolinkError('ABORTED', 'interrupted by Ctrl-C'));
    else {
      process.stdout.write('\nCtrl-D ends the shell.\n');
      lines.prompt();
    }
  });
  signal.addEventListener('abort', () => lines.close(), { once: true });

  let failures = 0;
  /** Executes one line. Returns whether the connection must be opened again. */
  const execute = async (device: Parameters<Parameters<typeof withDevice>[3]>[0], words: string[]) => {
    const found = findCommand(words[0]);
    running = new AbortController();
    const either = AbortSignal.any([signal, running.signal]);
    try {
      const { json: facts, text } = await found.run({ device, uri, words: words.slice(1), signal: either });
      process.stdout.write(json ? `${JSON.stringify(facts)}\n` : text);
      return found.reconnects === true;
    } finally {
      running = undefined;
    }
  };
  const useDevice = async (device: Parameters<Parameters<typeof withDevice>[3]>[0]): Promise<Ending> => {
    for (;;) {
      if (isTerminal) lines.prompt();
      const { value: line, done } = await input.next();
      if (done === true) return 'end';
      const words = wordsOf(line);
      if (words.length === 0) continue;
      if (words[0] === 'exit' || words[0] === 'quit') return 'end';
      if (words[0] === 'help') {
        process.stdout.write(helpText());
        continue;
      }
      try {
        if (await execute(device, words)) return 'reconnect';
      } catch (error) {
        if (signal.aborted) throw error;
        failures++;
        reportError(error, { json });
      }
    }
  };
  try {
    let ending = await withDevice(uri, options, signal, useDevice);
    while (ending === 'reconnect')
      ending = await waitForBoard(() => withDevice(uri, options, signal, useDevice), COME_BACK_SECONDS);
  } finally {
    lines.close();
    if (isTerminal) {
      process.stdout.write('\n');
      writeHistory(newest);
    }
  }
  return failures;
}
