/** The program of a thread that computes gradients of one network. An error in a batch ends the thread. */
import { parentPort, workerData } from 'node:worker_threads';
import type { GradientJob } from './gradient-thread.js';
import { type PreparedGradient, prepareGradient } from './network/classifier.js';
import { networkOf } from './network/network-of.js';

const network = networkOf(workerData);
let prepared: PreparedGradient | undefined;
parentPort?.on('message', ({ parameters, batch }: GradientJob) => {
  if (batch !== undefined) {
    prepared?.dispose();
    prepared = prepareGradient(network, batch);
  }
  if (parameters === undefined) return;
  const result = prepared!.at(parameters);
  prepared = undefined;
  parentPort?.postMessage(result, [result.gradient.buffer as ArrayBuffer]);
});
parentPort?.postMessage('ready', []);
