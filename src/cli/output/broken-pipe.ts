interface ErrorSource {
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
}

/**
 * Ends the process quietly once the reader of our output has gone (`thermolink … | head`): call once, at the start.
 * `end` gets 0 then, since what was asked for was printed, and 1 if the output fails in another way (a full disk).
 */
export function endOnBrokenPipe(
  streams: readonly ErrorSource[] = [process.stdout, process.stderr],
  end: (exitCode: number) => void = (exitCode) => process.exit(exitCode),
): void {
  for (const stream of streams) stream.on('error', (error) => end(error.code === 'EPIPE' ? 0 : 1));
}
