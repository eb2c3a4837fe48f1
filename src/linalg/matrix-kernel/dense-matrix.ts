import { FastMatrix, type Matrix, matrix, type RoundedCodes } from '../matrix.js';
import { MatrixModule } from './matrix-module.js';

/**
 * A zero matrix of rows × columns, to be filled. It lies in the memory of a WebAssembly module if the host
 * supports one. Each matrix needs a new module, so use one matrix again instead of making a new one.
 */
export function denseMatrix(rows: number, columns: number): Matrix {
  const module = MatrixModule.create(rows, columns);
  return module === undefined ? matrix(rows, columns) : new DenseMatrix(rows, columns, module);
}

class DenseMatrix extends FastMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
  readonly #module: MatrixModule;

  constructor(rows: number, columns: number, module: MatrixModule) {
    super();
    this.rows = rows;
    this.columns = columns;
    this.data = new Float64Array(module.buffer, 0, rows * columns);
    this.#module = module;
  }

  measuredRows(): Float64Array {
    return this.#module.measuredDense();
  }

  roundedCodes(factor: number, bytes: 1 | 2): RoundedCodes {
    return this.#module.roundedDense(factor, bytes);
  }

  releaseCodes(codes: Int8Array | Int16Array): void {
    this.#module.keep(codes);
  }
}
