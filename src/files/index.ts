/** `thermolink/files`: matrices and vectors as NumPy's .npy files and as text tables (.csv, .tsv, .txt). */
export { readMatrix, readVector } from './read-array.js';
export { writeArray } from './write-array.js';
