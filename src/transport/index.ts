/**
 * The connections to a board, each as a port: memory, TCP, serial ports, pseudo-terminals.
 *
 * @module thermolink/transport
 */
export type { Port } from '../../firmware-protocol/port.js';
export { memoryPortPair } from './memory-port.js';
export { openPty, type PtyOptions, type PtyPort } from './pty.js';
export { bestCandidates, type SerialDevice, serialDevices } from './serial-devices.js';
export { listSerialPorts, type SerialListingOptions } from './serial-listing.js';
export { openSerialPort } from './serial-port.js';
export type { SerialListing, SerialRow, Verdict } from './serial-row.js';
export {
  type SerialAddress,
  type SerialSettings,
  type SerialUriAddress,
  serialUri,
  type UsbIdentity,
} from './serial-uri.js';
export { openTcpPort, parseHostPort, type TcpAddress, tcpUri } from './tcp-port.js';
export type { OpenPortOptions } from './transport.js';
