/**
 * Runs an emulated board on a port: over TCP, on a pseudo-terminal or serial line, in this process or in a
 * thread.
 *
 * @module thermolink/serve
 */
export { BoardServer, type BoardServerOptions, type ServerEvent, type ServerStatus } from './board-server.js';
export { openBoardThread } from './board-thread.js';
export type { EmulatorAddress } from './emulator-transport.js';
export { parseFaults } from './fault-list.js';
export { type Listener, type ListenTcpOptions, listenTcp } from './listen-tcp.js';
export { readProfile } from './profile-file.js';
export { type ServableDevice, ServedDevice, type ServeOptions } from './serve-device.js';
