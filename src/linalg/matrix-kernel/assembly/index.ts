/**
 * The loops of dense-matrix.ts, product-matrix.ts and centered-products.ts, which handle two float64 at once,
 * and the loops of chain.ts for the layers of a network. Addresses and sizes in bytes are usize, counts are
 * i32.
 */
export { addCenteredProducts } from './centered-products';
export { affineSums, exampleMajor, poolAndTanh, tanhAndPoolDerivative } from './chain';
export { measureRows, measureStretches } from './measuring';
export { roundStretchesToInt8, roundStretchesToInt16, roundToInt8, roundToInt16 } from './rounding';
export { largestOfVectors, writeStretches } from './stretches';
