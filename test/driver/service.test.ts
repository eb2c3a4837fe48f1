import { describe, expect, it, onTestFinished } from 'vitest';
import { EmulatedDevice, findProfile } from '../../emulator/index.js';
import { connect } from '../../src/connect.js';
import { Device } from '../../src/driver/device.js';
import { SYSTEM_CLOCK } from '../../src/driver/system-clock.js';
import { ServedDevice } from '../../src/serve/serve-device.js';
import { memoryPortPair } from '../../src/transport/memory-port.js';

/** Devices on one board, one after another. */
function board(profile = 'ideal-8') {
  const emulated = new EmulatedDevice({ profile: findProfile(profile)!, dieSeed: 1 });
  return {
    emulated,
    async open(): Promise<Device> {
      const [near, far] = memoryPortPair('board');
      new ServedDevice(emulated, far);
      const device = await Device.open(near);
      onTestFinished(() => device.close());
      return device;
    },
  };
}

/** Longer than three frames. */
const LONG = Uint8Array.from({ length: 200_001 }, (_, i) => (i * i) % 251);

describe('the calibration record that a board keeps', () => {
  it('comes back unchanged, even in another session, and can be erased', async () => {
    const { open } = board();
    const first = await open();
    expect(await first.readCalibration()).toBeUndefined();
    await first.keepCalibration(LONG);
    await first.keepCalibration(LONG);
    await first.close();
    const second = await open();
    // `toEqual` takes a second for so many bytes.
    expect(Buffer.compare((await second.readCalibration())!, LONG)).toBe(0);
    await second.keepCalibration(LONG.subarray(0, 5));
    expect(await second.readCalibration()).toEqual(LONG.slice(0, 5));
    await second.keepCalibration(new Uint8Array(0));
    expect(await second.readCalibration()).toBeUndefined();
  });

  it('is refused before a byte is sent if it is not bytes or too long', async () => {
    const device = await board().open();
    await expect(device.keepCalibration('bytes' as never)).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
      message: 'record is the text "bytes"; it must be a Uint8Array.',
    });
    const tooLong = new Uint8Array(device.identity.calibrationBytesMax + 1);
    await expect(device.keepCalibration(tooLong)).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
    expect(await device.readCalibration()).toBeUndefined();
  });
});

describe('other facts that a board tells', () => {
  it('its sensors, and that its covariances need no calibration when it is ideal', async () => {
    const ideal = await board().open();
    expect(await ideal.readSensors()).toEqual({ dieTemperatureKelvin: 300, supplyVolts: 5 });
    expect(ideal.identity.hasKnownCovariance).toBe(true);
    expect((await board('prototype-8').open()).identity.hasKnownCovariance).toBe(false);
  });

  it('the temperature of a die that warms up', async () => {
    const device = await connect('emulator:ideal-8?faults=thermalDrift@0');
    onTestFinished(() => device.close());
    const { dieTemperatureKelvin } = await device.readSensors();
    expect(dieTemperatureKelvin).toBeCloseTo(300 + 20 / 64, 2);
  });

  it('which board it is, for at most 60,000 ms', async () => {
    const { open, emulated } = board();
    const device = await open();
    await device.identify(60_000);
    expect(emulated.board.identifyUntilMs).toBeGreaterThan(SYSTEM_CLOCK.nowMs() + 50_000);
    await expect(device.identify(60_001)).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
    await expect(device.identify(Number.NaN)).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
  });
});
