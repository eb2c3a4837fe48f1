/** thermolink for programs: connect to a board, solve linear systems on it, train with it. */
export { connect, parseDeviceUri } from './connect.js';
export { Device } from './driver/device.js';
export type * from './driver/device-api.js';
export { ERROR_CODES, type ErrorCode, ThermolinkError } from './errors.js';
