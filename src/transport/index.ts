/** `thermolink/transport`: the ways that bytes travel, each as a port: memory, TCP, serial ports, pseudo-terminals. */
export type { Port } from '../../firmware-protocol/port.js';
export { memoryPortPair } from './memory-port.js';
export { openPty, type PtyOptions, type PtyPort } from './pty.js';
export { bestCandidates, type SerialDevice, serialDevices, type UsbIdentity } from './serial-devices.js';
export { listSerialPorts } from './serial-listing.js';
export { openSerialPort, type SerialAddress, serialUri } from './serial-port.js';
export type { SerialListing, SerialRow } from './serial-row.js';
export { type OpenPortOptions, openTcpPort, parseHostPort, type TcpAddress, tcpUri } from './tcp-port.js';
