/**
 * The time of the last message of the session that a `replay:` URI plays; undefined for every other device.
 * Errors: those of `parseDeviceUri` and `openTrace`.
 */
export async function recordedTime(uri: string): Promise<Date | undefined> {
  // Commands load these modules only when they run: `--help` does not need them.
  const { parseDeviceUri } = await import('../../connect.js');
  const address = parseDeviceUri(uri);
  if (address.kind !== 'replay') return undefined;
  const { openTrace } = await import('../../traces/open-trace.js');
  const trace = await openTrace(address.file);
  try {
    let lastNs = 0n;
    for (const { session, hostTimeNs } of trace.messages())
      if (address.session === undefined || session === address.session) lastNs = hostTimeNs;
    return new Date(Number(lastNs / 1_000_000n));
  } finally {
    trace.close();
  }
}

/** The time of what a device measures: that of its recording for a replay, else that of this host. */
export async function sessionTime(uri: string): Promise<Date> {
  return (await recordedTime(uri)) ?? new Date();
}
