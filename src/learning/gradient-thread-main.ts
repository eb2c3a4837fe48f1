/** The program of a thread that computes gradients of one network. A batch that fails ends it. */
import { parentPort, workerData } from 'node:worker_threads';
import type { GradientJob } from './gradient-thread.js';
import { networkOf } from './network/network-of.js';

const network = networkOf(workerData);
parentPort?.on('message', ({ parameters, batch }: GradientJob) => {
  const result = network.lossAndGradient(parameters, batch);
  parentPort?.postMessage(result, [result.gradient.buffer as ArrayBuffer]);
});
parentPort?.postMessage('ready', []);
