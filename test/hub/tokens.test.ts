import { describe, expect, it } from 'vitest';
import { connect } from '../../src/connect.js';
import { allows, Gate, networkOf, Tokens } from '../../src/hub/tokens.js';
import { fileWriter } from '../cli/support/temporary-files.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { ask, observe, withHub } from './shared-board.js';

const file = fileWriter();
const ALICE = 'alice-0123456789abcdef';
const BOB = 'bob-0123456789abcdef';
const EVE = 'eve-0123456789abcdef';
const TEXT = `# who may do what\nalice drive ${ALICE}\nbob\tstop   ${BOB} # by phone\n\neve observe ${EVE}\r\n`;

describe('a token file', () => {
  it('tells the owner of a token', async () => {
    const tokens = await Tokens.read(file('tokens', TEXT));
    expect(tokens.find(ALICE)).toEqual({ owner: 'alice', right: 'drive' });
    expect(tokens.find(BOB)).toEqual({ owner: 'bob', right: 'stop' });
    expect(tokens.find(`${BOB} `)).toBeUndefined();
  });

  it('treats a # within a token as a part of it', async () => {
    const tokens = await Tokens.read(file('tokens', `#x\nalice drive ${ALICE}#xyz\t#${BOB}\n`));
    expect(tokens.find(`${ALICE}#xyz`)).toEqual({ owner: 'alice', right: 'drive' });
    expect(tokens.find(ALICE)).toBeUndefined();
  });

  it.each([
    ['no token', '# nobody\n', 'holds no token'],
    ['two words', `alice ${ALICE}\n`, 'bad line 1'],
    ['an unknown right', `\nalice root ${ALICE}\n`, 'bad right in line 2'],
    ['markup for a name', `<b> drive ${ALICE}\n`, 'bad owner in line 1'],
    ['a token twice', `alice drive ${ALICE}\nbob drive ${ALICE}\n`, 'twice'],
    ['a short token', 'alice drive abc\n', 'line 1: a token has 16 to 256'],
  ])('with %s is refused, and no token is shown', async (_, text, message) => {
    const error = await Tokens.read(file('bad', text)).catch((reason: unknown) => reason as Error);
    expect(error).toMatchObject({ message: expect.stringContaining(message) });
    expect(JSON.stringify(error)).not.toContain(ALICE);
    expect((error as Error).message).not.toContain(ALICE);
  });
});

it('a right includes all smaller rights', () => {
  expect(allows({ owner: 'a', right: 'drive' }, 'stop')).toBe(true);
  expect(allows({ owner: 'a', right: 'drive' }, 'drive')).toBe(true);
  expect(allows({ owner: 'a', right: 'drive' }, 'admin')).toBe(false);
});

it('a guesser is told to wait for a minute; a right token from the same address is accepted', async () => {
  const clock = new VirtualClock();
  const gate = new Gate(await Tokens.read(file('tokens', TEXT)), clock);
  const guess = (token: string, address = '10.0.0.1') => {
    try {
      return gate.enter(token, address).owner;
    } catch (error) {
      return (error as { status: number }).status;
    }
  };
  for (let i = 0; i < 10; i++) expect(guess(`wrong-${i}`)).toBe(401);
  expect(guess('wrong-10')).toBe(429);
  expect(guess(ALICE)).toBe('alice');
  expect(guess('wrong-11')).toBe(429);
  expect(guess('wrong-12', '10.0.0.2')).toBe(401);
  await clock.run(new Promise<void>((resolve) => void clock.schedule(60_000, resolve)));
  expect(guess('wrong-13')).toBe(401);
});

it.each([
  ['127.0.0.1', '127.0.0.1'],
  ['::ffff:10.1.2.3', '10.1.2.3'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
])('the network of %s is %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});

describe('a server with tokens', () => {
  const withTokens = async (test: Parameters<typeof withHub>[0]): Promise<void> =>
    withHub(test, { tokens: await Tokens.read(file('tokens', TEXT)) });
  const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

  it('refuses boards and events without a token, and answers /healthz', () =>
    withTokens(async (hub) => {
      expect((await ask(hub, 'GET', '/api/boards')).status).toBe(401);
      expect((await ask(hub, 'GET', '/api/boards', undefined, bearer('x'.repeat(20)))).status).toBe(401);
      expect((await ask(hub, 'GET', '/healthz')).body).toMatchObject({ boards: 1 });
      await expect(observe(hub, 'wrong')).rejects.toThrow('does not know the token');
    }));

  it('allows each token the actions of its right', () =>
    withTokens(async (hub) => {
      const stop = (token: string) => ask(hub, 'POST', '/api/boards/a/stop', undefined, bearer(token));
      expect((await stop(EVE)).status).toBe(403);
      expect((await stop(BOB)).status).toBe(200);
      const observer = await observe(hub, EVE);
      expect(observer.events[0]).toMatchObject({ type: 'hello', owner: 'eve', right: 'observe' });
      const alice = file('alice', `${ALICE}\n`);
      const bob = file('bob', `${BOB}\n`);
      await expect(connect(hub.uri(`?token_file=${bob}`))).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
      const device = await connect(hub.uri(`?token_file=${alice}`));
      await observer.until((event) => event.type === 'board' && event.board.lease?.owner === 'alice');
      await device.close();
    }));
});

it('a token in a URI is refused: URIs end in logs', async () => {
  await expect(connect(`hub://127.0.0.1:1/a?token=${ALICE}`)).rejects.toMatchObject({
    code: 'BAD_DEVICE_URI',
    message: expect.stringContaining('a token must not stand in a URI'),
  });
});
