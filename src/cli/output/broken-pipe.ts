import { ThermolinkError } from '../../errors.js';
import { CLOSED_PIPE, interruptRunning } from './interrupt.js';
import { EXIT_DONE, reportError } from './report-error.js';

interface ErrorSource {
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
}

interface Outputs {
  readonly stdout: ErrorSource;
  readonly stderr: ErrorSource;
}

/** A command whose output has gone ends within this time. It makes boards safe and closes files in it. */
const END_MS = 10_000;

/**
 * Decides what happens when output can't be written. Call it once, at the start.
 *
 * If the reader has closed the pipe (`thermolink … | head`), the command ends quietly with exit code 0, since
 * the reader needs no more. If standard output fails otherwise, as on a full disk, results are lost: BAD_FILE
 * on standard error and exit code 1. Work that runs in `withInterrupt` ends as by Ctrl-C, so boards are safe
 * and files are closed; it has 10 s for this. If nothing runs, the process ends at once.
 *
 * Other failures of standard error are ignored, since only progress and messages go there. A closed terminal
 * also sends SIGHUP. A training must live until then to save its checkpoint.
 */
export function endOnBrokenPipe(
  { stdout, stderr }: Outputs = process,
  end: (exitCode: number) => void = (exitCode) => process.exit(exitCode),
): void {
  function lose(cause: NodeJS.ErrnoException): void {
    const failure = cause.code === 'EPIPE' ? undefined : lostOutput(cause);
    // A command that has ended keeps its exit code.
    const finish = (): void => end(failure ? reportError(failure) : Number(process.exitCode ?? EXIT_DONE));
    const state = interruptRunning(outputGone(cause), failure);
    if (state === 'idle') finish();
    else if (state === 'begun') setTimeout(finish, END_MS).unref();
  }
  stdout.on('error', lose);
  stderr.on('error', (error) => {
    if (error.code === 'EPIPE') lose(error);
  });
}

function lostOutput(cause: Error): ThermolinkError {
  return new ThermolinkError('BAD_FILE', 'The results could not be written to standard output.', {
    cause,
    hint: 'Make room on the disk, or send standard output to another place.',
  });
}

function outputGone(cause: NodeJS.ErrnoException): ThermolinkError {
  return new ThermolinkError('ABORTED', 'interrupted, since its output can not be written', {
    cause,
    ...(cause.code === 'EPIPE' && { data: { signal: CLOSED_PIPE } }),
  });
}
