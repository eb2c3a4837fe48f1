/**
 * Matrices and vectors as NumPy's .npy files and as text tables (.csv, .tsv, .txt);
 * quadratic programs as QPS and JSON.
 *
 * @module thermolink/files
 */
export { readMatrix, readVector } from './read-array.js';
export { readProgram } from './read-program.js';
export { writeArray } from './write-array.js';
