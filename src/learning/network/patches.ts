/**
 * A two-dimensional convolution over single-channel images, zero-padded by `padding` on every side, then
 * max-pooled.
 */
export interface ConvolutionGeometry {
  readonly rows: number;
  readonly columns: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  /** Edge of the pooling window, which is also its stride; 1 pools nothing. */
  readonly pool: number;
}

/** From this number of examples on, `set` and `fill` copy faster than a loop. */
const FEW = 32;

/** Output pixels after pooling, per axis. Rows and columns that don't fill a pooling window are left out. */
export function pooledShape(geometry: ConvolutionGeometry): { rows: number; columns: number } {
  const extent = (size: number): number => {
    const convolved = Math.floor((size + 2 * geometry.padding - geometry.kernel) / geometry.stride) + 1;
    return Math.max(0, Math.floor(convolved / geometry.pool));
  };
  return { rows: extent(geometry.rows), columns: extent(geometry.columns) };
}

/**
 * Rewrites a convolution as one matrix product (im2col): the matrix that a kernel (channels × kernel²)
 * multiplies.
 *
 * images: feature-major, pixel × example. Result: kernel² × (pool² · pooled pixels · examples), row-major;
 * its column index is ((window place · pooled pixels) + pooled pixel) · examples + example. The place in the
 * pooling window is the slowest column index: pooling is then a maximum over an outer axis. The example is
 * the fastest: whole rows can then be copied. The result lies in `out`, which must be long enough.
 */
export function patchMatrix(
  images: Float32Array,
  examples: number,
  geometry: ConvolutionGeometry,
  out: Float32Array,
): Float32Array {
  const { kernel, stride, padding, pool } = geometry;
  const pooled = pooledShape(geometry);
  let target = 0;
  for (let kernelRow = 0; kernelRow < kernel; kernelRow++)
    for (let kernelColumn = 0; kernelColumn < kernel; kernelColumn++)
      for (let place = 0; place < pool * pool; place++)
        for (let pooledRow = 0; pooledRow < pooled.rows; pooledRow++) {
          const row = (pooledRow * pool + Math.floor(place / pool)) * stride + kernelRow - padding;
          for (let pooledColumn = 0; pooledColumn < pooled.columns; pooledColumn++, target += examples) {
            const column = (pooledColumn * pool + (place % pool)) * stride + kernelColumn - padding;
            const isPadding = row < 0 || row >= geometry.rows || column < 0 || column >= geometry.columns;
            const source = (row * geometry.columns + column) * examples;
            // For a few numbers the calls below take longer than a loop.
            if (examples < FEW)
              for (let e = 0; e < examples; e++) out[target + e] = isPadding ? 0 : images[source + e];
            else if (isPadding) out.fill(0, target, target + examples);
            else out.set(images.subarray(source, source + examples), target);
          }
        }
  return out.subarray(0, target);
}

/** Count of the numbers that `patchMatrix` writes. */
export function patchMatrixLength(examples: number, geometry: ConvolutionGeometry): number {
  const { kernel, pool } = geometry;
  const pooled = pooledShape(geometry);
  return kernel * kernel * pool * pool * pooled.rows * pooled.columns * examples;
}
