/**
 * Matrices and vectors as NumPy's .npy files and as text tables (.csv, .tsv, .txt).
 *
 * @module thermolink/files
 */
export { readMatrix, readVector } from './read-array.js';
export { writeArray } from './write-array.js';
