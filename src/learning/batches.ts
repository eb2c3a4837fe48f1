import { ThermolinkError } from '../errors.js';
import { RANDOM_STREAM, randomPermutation, randomSource } from '../linalg/random.js';
import { counted } from '../number-text.js';
import type { Examples } from './network/contract.js';

/**
 * Largest number of steps of a training. The step number is a u32, because it selects the noise of the board
 * in that step.
 */
const STEPS_MAX = 2 ** 32;

/**
 * How a training set is cut into steps. Examples that do not fill a whole batch are left out of that epoch.
 */
export interface BatchPlan {
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
  /**
   * The examples of one step, a pure function of (seed, step). Two pairs of arrays hold the batches in turn:
   * a batch stays valid until the second call after it. Their memory is shared, and a thread reads it without
   * a copy.
   */
  batchOf(step: number): Examples;
}

/**
 * Batches of `batch` examples. The order of the examples is drawn anew for every epoch from (seed, epoch). A
 * resumed training therefore sees the same batches, and the order need not be stored. Errors: BAD_ARGUMENT
 * when the batch is larger than the set, or when the steps of all epochs are more than 2³².
 */
export function planBatches(examples: Examples, batch: number, epochs: number, seed: number): BatchPlan {
  const stepsPerEpoch = Math.floor(examples.count / batch);
  if (stepsPerEpoch === 0)
    throw new ThermolinkError(
      'BAD_ARGUMENT',
      `A batch of ${batch} does not fit into ${examples.count} training examples.`,
      { hint: 'Lower `batch` or raise `trainSize`.' },
    );
  const epochsMax = Math.floor(STEPS_MAX / stepsPerEpoch);
  if (epochs > epochsMax)
    throw new ThermolinkError(
      'BAD_ARGUMENT',
      `${counted(epochs, 'epoch')} of ${counted(stepsPerEpoch, 'step')} are more than the 2³² steps that can be numbered.`,
      { hint: `Lower \`epochs\` to ${epochsMax} at most.`, data: { epochs, epochsMax, stepsPerEpoch } },
    );
  const inputCount = examples.inputs.length / examples.count;
  let orderEpoch = -1;
  let order: Uint32Array = new Uint32Array(0);
  // A batch takes about 400 kB. New arrays in each step would cost time for clearing and garbage collection.
  type Room = { readonly inputs: Float32Array; readonly labels: Uint8Array };
  let [room, otherRoom]: [Room | undefined, Room | undefined] = [undefined, undefined];

  function batchOf(step: number): Examples {
    const epoch = Math.floor(step / stepsPerEpoch);
    if (epoch !== orderEpoch) {
      const random = randomSource({ seed, stream: RANDOM_STREAM.exampleOrder, step: epoch });
      order = randomPermutation(examples.count, random);
      orderEpoch = epoch;
    }
    [room, otherRoom] = [otherRoom, room];
    room ??= {
      inputs: new Float32Array(new SharedArrayBuffer(Float32Array.BYTES_PER_ELEMENT * batch * inputCount)),
      labels: new Uint8Array(new SharedArrayBuffer(batch)),
    };
    const { inputs, labels } = room;
    const start = (step % stepsPerEpoch) * batch;
    for (let i = 0; i < batch; i++) {
      const example = order[start + i];
      inputs.set(examples.inputs.subarray(example * inputCount, (example + 1) * inputCount), i * inputCount);
      labels[i] = examples.labels[example];
    }
    return { count: batch, inputs, labels };
  }

  return { stepsPerEpoch, totalSteps: epochs * stepsPerEpoch, batchOf };
}
