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
 * Decides what happens when output can't be written. Call it once, at the start.
 *
 * If the reader has closed the pipe (`thermolink … | head`), the process ends quietly with exit code 0, since
 * the reader needs no more. If standard output fails otherwise, as on a full disk, results are lost: BAD_FILE
 * on standard error and exit code 1. A failure of standard error is ignored, since only progress and messages
 * go there. A closed terminal also sends SIGHUP. A training must live until then to save its checkpoint.
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
    hint: 'Make room on the disk, or send standard output to another place.',
  });
}
