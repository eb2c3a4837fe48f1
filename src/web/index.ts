/**
 * Boards in a web page: solving, relaxing, sampling and inverting without Node. A board on USB is connected
 * by Web Serial; an emulated board runs in a Web Worker.
 *
 * @module thermolink/web
 */

export { createAnalogSolver } from '../algorithms/board-solver.js';
export { createCholeskySolver } from '../algorithms/cholesky-solver.js';
export { type InverseRequest, type InverseResult, invert } from '../algorithms/invert.js';
export { prepare } from '../algorithms/prepare.js';
export type { PreparedSystem, PrepareRequest } from '../algorithms/prepared-system.js';
export { type BoardRelaxRequest, relax } from '../algorithms/relax.js';
export { drawSamples, type SamplingRequest, type SamplingResult } from '../algorithms/sample.js';
export { type MomentsRequest, type MomentsResult, sampleMoments } from '../algorithms/sample-moments.js';
export { type BoardSolveRequest, solve } from '../algorithms/solve/solve.js';
export { type CheckedSystem, checkSystem } from '../board/checked-system.js';
export { Device, type OpenOptions } from '../driver/device.js';
export type { DeviceEvent, ReconnectOptions } from '../driver/reconnect.js';
export { ERROR_CODES, type ErrorCode, ThermolinkError } from '../errors.js';
export type { DenseSystem, FactoredSystem, LinearSystem } from '../linalg/linear-system.js';
export { type Matrix, matrix } from '../linalg/matrix.js';
export { connectWorker, openWorkerPort, type WorkerBoardOptions } from './board-worker.js';
export {
  type ConnectSerialOptions,
  connectSerial,
  requestSerialPort,
  type WebSerial,
} from './connect-serial.js';
export { openWebSerialPort, type WebSerialPort } from './serial-port.js';
