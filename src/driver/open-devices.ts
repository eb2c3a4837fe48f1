/** What stops when the process dies of an exception. */
export interface Stoppable {
  stop(options: { readonly timeoutMs: number }): Promise<void>;
}

/** Devices of this process that are open. */
const open = new Set<Stoppable>();

/** Counts `device` among the open ones; the returned function takes it out again. */
export function noteOpen(device: Stoppable): () => void {
  open.add(device);
  return () => void open.delete(device);
}

/** Stops every open board, each for at most `timeoutMs`. Never throws. */
export async function stopOpenDevices(timeoutMs: number): Promise<void> {
  await Promise.allSettled([...open].map((device) => device.stop({ timeoutMs })));
}
