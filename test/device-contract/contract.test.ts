import { afterAll, beforeAll, beforeEach, describe, onTestFinished } from 'vitest';
import type { ContractBoard } from './contract.js';
import { DEVICES, optionsOn, type RunningDevice } from './devices.js';
import { describePrograms } from './program-contract.js';
import { RawHost } from './raw-host.js';
import { describeRuns } from './run-contract.js';
import { describeSafety } from './safety-contract.js';
import { describeService } from './service-contract.js';
import { describeSessions } from './session-contract.js';

for (const device of DEVICES)
  describe(`the contract of a device: ${device.name}`, optionsOn(device), () => {
    const missing = device.missing();
    let running: RunningDevice | undefined;

    beforeAll(async () => {
      if (missing === undefined) running = await device.start();
    });
    beforeEach((context) => context.skip(missing !== undefined, missing));
    afterAll(() => running?.end());

    const board: ContractBoard = {
      device,
      running: () => running!,
      async connect() {
        const host = new RawHost(await running!.open());
        onTestFinished(() => host.port.close());
        return host;
      },
    };

    describe('sessions', () => {
      describeSessions(board);
    });
    describe('programs', () => {
      describePrograms(board);
    });
    describe('runs', () => {
      describeRuns(board);
    });
    describe('service', () => {
      describeService(board);
    });
    describe('safety', () => {
      describeSafety(board);
    });
  });
