import { connect } from 'thermolink';
import { PROGRAM_MODE, readingVolts, stateCodes } from 'thermolink/board';
import { EmulatedDevice, findProfile } from 'thermolink/emulator';
import { BoardServer, listenTcp } from 'thermolink/serve';

// A board that other programs of this machine can connect to.
const profile = findProfile('ideal-8')!;
const server = new BoardServer(new EmulatedDevice({ profile, dieSeed: 1 }));
const listener = await listenTcp(server, { host: '127.0.0.1', port: 0 });
const device = await connect(listener.uri);
try {
  const { identity } = device;
  const { cells, noiseShiftMin } = identity;
  // Cells with no coupling but the conductance G_fs to ground. Every second cell is charged to 0.25 V.
  const volts = Float64Array.from({ length: cells }, (_, i) => (i % 2) * 0.25);
  await device.loadProgram(0, {
    mode: PROGRAM_MODE.dense,
    cells,
    rows: cells,
    couplingBits: 8,
    rowAttenuation: 0,
    couplings: new Int8Array(cells * cells),
    drive: new Int16Array(cells),
    initialState: stateCodes(volts, identity),
    damping: 2 ** 15,
    noiseAmplitude: 0,
    noiseShift: noiseShiftMin,
  });
  // A tick is 2⁻ᵏ τ, so the voltages fall to 1/e in 2ᵏ ticks.
  const ticksPerSample = 2 ** identity.tickLog2;
  const { codes } = await device.acquire({
    bank: 0,
    runSeed: 1,
    burnInTicks: 0,
    sampleCount: 3,
    ticksPerSample,
  });
  for (let sample = 0; sample < 3; sample++) {
    const reading = readingVolts(codes.subarray(sample * cells, (sample + 1) * cells), identity);
    console.log(`after ${sample} τ: ${Array.from(reading, (v) => v.toFixed(3)).join(' ')} V`);
  }
} finally {
  await device.close();
  await listener.close();
  await server.close();
}
