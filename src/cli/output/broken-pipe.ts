import { ThermolinkError } from '../../errors.js';
import { EXIT_DONE, reportError } from './report-error.js';

interface ErrorSource {
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
}

interface Outputs {
  readonly stdout: ErrorSource;
  readonly stderr: ErrorSource;
}

/**
 * Says what happens when output can't be written: call once, at the start.
 *
 * A reader that has gone (`thermolink … | head`) ends the process quietly with exit code 0, since it had what it wanted.
 * Any other failure of standard output, such as a full disk, has lost results: BAD_FILE on standard error, exit code 1. One
 * of standard error is passed over, as only progress and messages go there: a terminal that was closed is about to send
 * SIGHUP, and a run must live to save its checkpoint then.
 */
export function endOnBrokenPipe(
  { stdout, stderr }: Outputs = process,
  end: (exitCode: number) => void = (exitCode) => process.exit(exitCode),
): void {
  stdout.on('error', (error) => end(error.code === 'EPIPE' ? EXIT_DONE : reportError(lostOutput(error))));
  stderr.on('error', (error) => {
    if (error.code === 'EPIPE') end(EXIT_DONE);
  });
}

function lostOutput(cause: Error): ThermolinkError {
  return new ThermolinkError('BAD_FILE', 'The results could not be written to standard output.', {
    cause,
    hint: 'Make room on the disk that it is sent to, or send it elsewhere.',
  });
}
