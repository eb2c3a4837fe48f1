/**
 * Serves a Pico in rp2040js at a TCP port, for suites that need real time: `bridge-main.js UF2 usb|uart|rc3`.
 * With `rc3` the Pico has USB and the circuit of rc-3. Prints the URI as thermolink-device does. Virtual time
 * follows real time, but is late if the machine is too slow.
 */
import { readFileSync } from 'node:fs';
import net from 'node:net';
import process from 'node:process';
import { setOpened } from './enumerate.js';
import { PicoChip, readUf2 } from './pico-chip.js';
import { plugInUart, plugInUsb } from './pico-port.js';
import { BOUGHT_PARTS, RC_POWER_ON_NS, rcCircuit } from './rc-circuit.js';

const STEP_NS = 100_000;
/** The computing time after which the event loop gets a turn. */
const TURN_MS = 8;
/** If virtual time is later than real time by more than this, it does not catch up. */
const LATE_NS = 20e6;
const OUTGOING_BYTES_MAX = 8192;

const [file, kind] = process.argv.slice(2);
const chip = new PicoChip(readUf2(readFileSync(file)));
if (kind === 'rc3') {
  rcCircuit(chip.mcu, BOUGHT_PARTS);
  chip.run(RC_POWER_ON_NS);
}
const { port, bus, outgoingBytes } = kind === 'uart' ? plugInUart(chip) : plugInUsb(chip);
let client: net.Socket | undefined;
port.onData((bytes) => client?.write(bytes.slice()));

const setClient = (socket: net.Socket | undefined) => {
  client?.destroy();
  client = socket;
  if (bus !== undefined) setOpened(bus, socket !== undefined);
};
const server = net.createServer((socket) => {
  setClient(socket);
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  socket.on('close', () => {
    if (client === socket) setClient(undefined);
  });
  socket.on('data', (bytes) => {
    port.write(bytes).catch(() => undefined);
    if (outgoingBytes() > OUTGOING_BYTES_MAX) socket.pause();
  });
});
server.listen(0, '127.0.0.1', () => {
  console.log(`a Pico in rp2040js\n  tcp://127.0.0.1:${(server.address() as net.AddressInfo).port}`);
  turn();
});

let realNs = performance.now() * 1e6;
let virtualNs = chip.nanos;
function turn(): void {
  const untilMs = performance.now() + TURN_MS;
  let aheadNs = 0;
  do {
    aheadNs = chip.nanos - virtualNs - (performance.now() * 1e6 - realNs);
    if (aheadNs > 0) break;
    if (aheadNs < -LATE_NS) {
      realNs = performance.now() * 1e6;
      virtualNs = chip.nanos;
    }
    chip.run(STEP_NS);
  } while (performance.now() < untilMs && !chip.ended);
  if (chip.ended) process.exit(3);
  if (client?.isPaused() === true && outgoingBytes() < OUTGOING_BYTES_MAX / 2) client.resume();
  if (aheadNs > 5 * STEP_NS) setTimeout(turn, 1);
  else setImmediate(turn);
}
process.on('SIGINT', () => {
  for (const fault of bus?.faults ?? []) console.error(fault);
  process.exit(0);
});
