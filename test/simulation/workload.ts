import { ThermolinkError } from '../../src/errors.js';
import { all, type Life } from './life.js';

/** One part of a workload. It can be repeated from its beginning after any failure. */
export interface Step {
  readonly name: string;
  /** The outcome. It is the same in every simulation of the same variant. */
  readonly act: (life: Life) => Promise<string>;
}

/** Returns the expected refusal. Throws any other error. */
async function refused(call: Promise<unknown>, ...reasons: readonly string[]): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (error instanceof ThermolinkError && reasons.includes(String(error.data['reason']))) return;
    throw error;
  }
  throw new Error(`a call that must be refused (${reasons.join(', ')}) succeeded`);
}

/** Steps with every state of the board, an upload larger than the window, streams and stops. */
export const STEPS: readonly Step[] = [
  {
    name: 'idle',
    async act(life) {
      await life.ready();
      // Sometimes there are more requests than the board has room for answers.
      await life.pings(life.host.random.chance(0.2) ? 150 : 20);
      return '';
    },
  },
  {
    name: 'upload',
    async act(life) {
      await life.ready();
      await all([life.load(0, 'large'), life.pings(60)]);
      life.repeatRequest();
      await life.pings(15);
      return '';
    },
  },
  {
    name: 'stream',
    async act(life) {
      await life.ready();
      await life.load(0, 'large');
      life.host.loaded[1] = undefined;
      const streamed = life.stream(life.options(0, 1, 48, 3));
      await all([streamed, life.load(1, 'wide'), life.pings(20)]);
      life.repeatRequest();
      await life.pings(10);
      return streamed;
    },
  },
  {
    name: 'stop',
    async act(life) {
      const { host } = life;
      await life.ready();
      await life.load(1, 'wide');
      const device = await host.device();
      const run = await device.run(life.options(1, 2, 2000, 4));
      run.finished.catch(() => undefined);
      await host.clock.sleep(host.random.ms(0, 20));
      const pings = life.pings(5).catch(() => undefined);
      await device.stop();
      await pings;
      const { state } = await device.readStatus();
      if (state !== 'safe') throw new ThermolinkError('RUN_ENDED', `after a stop the board is ${state}`);
      await life.pings(10);
      await refused(device.run(life.options(1, 2, 1, 1)), 'wrongState');
      return '';
    },
  },
  {
    name: 'stop-overtakes',
    async act(life) {
      const { host } = life;
      await life.ready();
      await life.load(1, 'wide');
      const device = await host.device();
      await device.stop();
      // When the stop is issued, everything that a run needs is on its way or waits for room. It must not
      // run.
      const crowd = host.random.chance(0.3) ? 120 : 0;
      const start: Promise<unknown>[] = Array.from({ length: crowd }, () => device.ping());
      start.push(device.acknowledge(), life.commitAgain(1, 'wide'), device.run(life.options(1, 2, 50, 4)));
      const settled = Promise.allSettled(start);
      if (host.random.chance(0.5)) await host.clock.sleep(host.random.ms(0, 3));
      await device.stop();
      await settled;
      host.loaded.length = 0;
      await life.rewrite(1, 'wide');
      return '';
    },
  },
  {
    name: 'wide',
    async act(life) {
      await life.ready();
      await life.load(1, 'wide');
      const { random } = life.host;
      const onLoss = random.pick(['fail', 'reRequest'] as const);
      const line = await life.stream({ ...life.options(1, 3, 40, 2), onLoss }, random.pick([0, 3, 30]));
      await life.pings(10);
      return line;
    },
  },
  {
    name: 'lossy',
    async act(life) {
      await life.ready();
      await life.load(1, 'wide');
      const { random } = life.host;
      const policies = { onLoss: 'mark', onNoCredit: random.pick(['hold', 'lose'] as const) } as const;
      await life.stream({ ...life.options(1, 8, 60, 1), ...policies }, random.pick([0, 3, 30]));
      return '';
    },
  },
  {
    name: 'overload',
    async act(life) {
      await life.ready();
      await life.load(0, 'overloading');
      const line = await life.stream(life.options(0, 4, 500, 1));
      await life.pings(15);
      await (await life.host.device()).acknowledge();
      return line;
    },
  },
  {
    name: 'abort',
    async act(life) {
      await life.ready();
      await life.load(1, 'wide');
      const device = await life.host.device();
      const run = await device.run(life.options(1, 5, 2000, 4));
      await life.host.clock.sleep(life.host.random.ms(0, 20));
      await run.abort();
      const { outcome } = await run.finished;
      await life.pings(10);
      if (outcome !== 'aborted') throw new ThermolinkError('RUN_ENDED', `aborted, but it ended: ${outcome}`);
      return outcome;
    },
  },
  {
    name: 'fault',
    async act(life) {
      await life.ready();
      const device = await life.host.device();
      await life.load(1, 'wide');
      life.host.rig.sabotage();
      await refused(life.rewrite(1, 'wide'), 'wrongState');
      life.host.loaded.length = 0;
      const { state } = await device.readStatus();
      if (state !== 'fault')
        throw new ThermolinkError('DEVICE_FAULT', `sabotaged, but the board is ${state}`);
      await life.pings(15);
      await refused(device.run(life.options(1, 2, 1, 1)), 'wrongState', 'notCommitted');
      await device.stop();
      await device.acknowledge();
      return '';
    },
  },
  {
    name: 'reset',
    async act(life) {
      await life.ready();
      const device = await life.host.device();
      const { bootEpoch } = device.identity;
      await device.reset();
      await life.host.leave();
      const next = await life.host.device();
      if (next.identity.bootEpoch <= bootEpoch)
        life.host.witness.truth.broken(`boot epoch ${next.identity.bootEpoch} after a reset in ${bootEpoch}`);
      return '';
    },
  },
  {
    name: 'again',
    async act(life) {
      await life.ready();
      await life.load(0, 'large');
      await life.stream(life.options(0, 6, 5, 1));
      const line = await life.stream({ ...life.options(0, 7, 24, 2), keepState: true, firstTick: 1000 }, 2);
      life.repeatRequest();
      await life.pings(10);
      return line;
    },
  },
];
