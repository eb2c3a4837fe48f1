import { expect, it } from 'vitest';
import { Device } from '../../src/driver/device.js';
import { type Logger, SILENT_LOGGER } from '../../src/driver/logger.js';
import { UsbHub } from '../support/usb-hub.js';
import { VirtualClock } from '../support/virtual-clock.js';

it('logs a health line a second at level debug, until the device is closed', async () => {
  const clock = new VirtualClock();
  const hub = new UsbHub(clock);
  hub.add('A', 'ideal-8');
  hub.plugIn('A', '/dev/ttyACM0');
  const lines: Record<string, unknown>[] = [];
  const log: Logger = {
    ...SILENT_LOGGER,
    isLevelEnabled: (level) => level === 'debug',
    debug: (facts, message) => void (message === 'link health' && lines.push({ ...facts })),
  };
  const device = await clock.run(Device.open(await hub.open('A'), { clock, log }));
  const pause = (ms: number) => clock.run(new Promise<void>((resolve) => void clock.schedule(ms, resolve)));
  await pause(900);
  for (let i = 0; i < 3; i++) await clock.run(device.ping());
  await pause(2200);
  expect(lines).toHaveLength(3);
  const sent = lines.map(({ framesSent }) => framesSent);
  expect(sent[0]).toBeGreaterThanOrEqual(3);
  expect(lines[2]).toMatchObject({ framesSent: 0, faults: 0, retransmissions: 0, suspended: false });
  await clock.run(device.close());
  await pause(5000);
  expect(lines).toHaveLength(3);
});
