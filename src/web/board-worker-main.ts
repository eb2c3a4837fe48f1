/** The program of a worker with one emulated board. The page that started the worker ends it. */
import { EmulatedDevice, findProfile, PROFILES } from '../../emulator/index.js';
import { ServedDevice } from '../serve/serve-device.js';
import { ThreadPort } from '../transport/thread-port.js';
import type { BoardWorkerAnswer, BoardWorkerData } from './board-worker.js';
import { channelEnd } from './channel-end.js';

const answer = (message: BoardWorkerAnswer): void => globalThis.postMessage(message, { transfer: [] });

globalThis.addEventListener(
  'message',
  ({ data: { profile: wanted, dieSeed, faults, name, port } }: MessageEvent<BoardWorkerData>) => {
    const profile = typeof wanted === 'string' ? findProfile(wanted) : wanted;
    if (profile === undefined) {
      answer({ kind: 'unknown', names: PROFILES.map((known) => known.name) });
      return;
    }
    const device = new EmulatedDevice({ profile, dieSeed, faults });
    new ServedDevice(device, new ThreadPort(name, channelEnd(port)));
    answer({ kind: 'ready' });
  },
  { once: true },
);
