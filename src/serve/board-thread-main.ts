/** The program of a thread with one emulated board. It ends when its port closes. */
import { parentPort, workerData } from 'node:worker_threads';
import { EmulatedDevice } from '../../emulator/index.js';
import { ThreadPort } from '../transport/thread-port.js';
import type { BoardThreadData } from './board-thread.js';
import { ServedDevice } from './serve-device.js';

const { die, name, port } = workerData as BoardThreadData;
new ServedDevice(new EmulatedDevice(die), new ThreadPort(name, port));
parentPort?.postMessage('ready', []);
