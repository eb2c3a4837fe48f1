/** The program of the thread that writes a recording. It ends when the writer of its ring has ended. */
import { workerData } from 'node:worker_threads';
import '../../driver/fast-bytes.js';
import { EntryRing } from './entry-ring.js';
import { Recording } from './recording.js';
import type { RecordingThreadData, ToldByThread } from './recording-thread.js';

const { settings, memory, port } = workerData as RecordingThreadData;
const tell = (what: ToldByThread): void => port.postMessage(what, []);
const ring = new EntryRing(memory);
if (ring.claim('thread')) {
  const recording = new Recording(
    settings,
    () => performance.now(),
    ({ reason, fileBytes }) => tell({ reason, fileBytes }),
  );
  const take = recording.take.bind(recording);
  let goesOn = ring.drain(take);
  // Entries that waited for this thread are written at once.
  recording.closeChunk();
  while (goesOn) {
    ring.rest(Math.max(0, recording.dueMs - performance.now()));
    goesOn = ring.drain(take);
    recording.closeWhenDue();
  }
  recording.finish();
  ring.done();
  tell('done');
}
port.close();
