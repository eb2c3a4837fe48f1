import { ThermolinkError } from '../../errors.js';
import { checkClasses, checkHidden, checkSettings, checkWidth, createClassifier } from './classifier.js';
import type { Network } from './contract.js';
import { type ConvolutionGeometry, patchMatrix, patchMatrixLength, pooledShape } from './patches.js';

/** The shape of a convolution classifier. */
export interface ConvolutionClassifierSettings {
  /** Height and width of the single-channel images, in pixels. */
  readonly rows: number;
  readonly columns: number;
  readonly classes: number;
  /** Default 15. With 28 × 28 pixels and 10 classes the network then has 7,750 parameters. */
  readonly channels?: number;
  /** Edge of the kernel in pixels, default 5. The image is zero-padded by half a kernel on every side. */
  readonly kernel?: number;
  /** Pixels from one position of the kernel to the next, default 2. */
  readonly stride?: number;
  /** Edge of the max-pooling window, in output pixels of the convolution; a whole number, default 2. */
  readonly pool?: number;
  /** Widths of dense layers between the pooled channels and the outputs, in order; default none. */
  readonly hidden?: readonly number[];
}

/**
 * A small convolution classifier: one convolution, max-pooling, tanh, dense layers with tanh between them,
 * softmax cross-entropy on the last. Pooling comes before tanh, which gives the same numbers because tanh is
 * monotone. Errors: BAD_ARGUMENT for a size that is not a whole number ≥ 1, for a number of classes outside 2
 * … 256, and when no pooled pixel is left.
 */
export function createConvolutionClassifier(settings: ConvolutionClassifierSettings): Network {
  checkSettings(settings, '{ rows: 28, columns: 28, classes: 10 }');
  const { rows, columns, classes, channels = 15, kernel = 5, stride = 2, pool = 2, hidden = [] } = settings;
  const sizes = { rows, columns, channels, kernel, stride, pool };
  for (const [name, size] of Object.entries(sizes)) checkWidth(name, size);
  checkHidden(hidden);
  checkClasses(classes);
  const geometry: ConvolutionGeometry = {
    rows,
    columns,
    kernel,
    stride,
    pool,
    padding: Math.floor(kernel / 2),
  };
  const pooled = pooledShape(geometry);
  const pooledPixels = pooled.rows * pooled.columns;
  if (pooledPixels === 0)
    throw new ThermolinkError(
      'BAD_ARGUMENT',
      `A ${kernel} × ${kernel} convolution with stride ${stride} and ${pool} × ${pool} pooling leaves nothing of a ` +
        `${rows} × ${columns} image.`,
    );
  const widths = [channels * pooledPixels, ...hidden, classes];
  // All patch matrices use the same array, because no patch matrix is kept. This saves 2.5 MB of allocation
  // in each step.
  let room = new Float32Array(0);
  const arrange = (inputs: Float32Array, count: number): Float32Array => {
    const length = patchMatrixLength(count, geometry);
    if (room.length < length) room = new Float32Array(length);
    return patchMatrix(inputs, count, geometry, room);
  };
  return createClassifier({
    name: 'convolution',
    settings: { kind: 'convolution', ...geometry, channels, hidden: [...hidden], classes },
    inputCount: rows * columns,
    blocks: [
      {
        outputs: channels,
        inputs: kernel * kernel,
        positions: pool * pool * pooledPixels,
        poolSize: pool * pool,
      },
      ...widths.slice(1).map((outputs, l) => ({ outputs, inputs: widths[l], positions: 1, poolSize: 1 })),
    ],
    layerNames: ['convolution', ...widths.slice(1).map((_, l) => `dense${l + 1}`)],
    arrange,
  });
}
