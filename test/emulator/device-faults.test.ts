import { describe, expect, it, vi } from 'vitest';
import { DEVICE_STATE, RUN_OUTCOME } from '../../firmware-protocol/device-status.js';
import { COMMAND_QUEUE_MAX, NO_ROW_ELEMENT } from '../../firmware-protocol/limits.js';
import { SECTION } from '../../firmware-protocol/messages/program.js';
import { FAULT, REFUSAL } from '../../firmware-protocol/messages/system.js';
import { Hand, program, START } from '../support/hand.js';

const SHAPE = { mode: 0, rowAttenuation: 0, couplingBits: 16, linearRows: NO_ROW_ELEMENT } as const;

/** A session with a committed program in bank 0; the next request is 5. */
function loaded(): Hand {
  const hand = new Hand();
  hand.say(hand.hello(7), ...program(hand, 1));
  return hand;
}

describe('an answer that does not fit a frame', () => {
  /** 256 bytes of the frame, minus 12 bytes of header and CRC, minus 16 bytes of the answer. */
  const CODES_MAX = 114;

  it.each([
    [CODES_MAX, 'readProgram'],
    [CODES_MAX + 1, 'refusal'],
    [4096, 'refusal'],
  ])('%i codes of two bytes: %s', (count, name) => {
    const hand = new Hand('ideal-64');
    const [, , said] = hand.say(
      hand.hello(7, { frameBytes: 256 }),
      hand.command('defineProgram', 1, { bank: 0, ...SHAPE, cells: 64, rows: 64 }),
      hand.command('readProgram', 2, { bank: 0, section: SECTION.couplings, firstEntry: 0, count }),
    );
    expect(said.name).toBe(name);
    if (name === 'refusal') expect(said).toMatchObject({ fields: { reason: REFUSAL.outOfRange } });
    expect(hand.device.board.fault).toBe(FAULT.none);
  });
});

describe('a full command queue', () => {
  /**
   * Sends everything in one chunk, so nothing leaves the queue. Returns the device's messages after all is
   * acknowledged.
   */
  function startWithPlaces(places: number): string[] {
    const hand = loaded();
    hand.say(hand.command('start', 5, START), hand.acknowledgement(4));
    const chunk = [hand.command('abort', 6, { runId: 1 })];
    // The answer of `abort` takes one place as well.
    for (let token = 1; token < COMMAND_QUEUE_MAX - places; token++)
      chunk.push(hand.command('ping', 6 + token, { token }));
    chunk.push(hand.command('start', 100, START));
    const said = hand.say(...chunk);
    for (let more = said.length; more > 0; ) {
      const next = hand.say(hand.acknowledgement(4 + said.length));
      more = next.length;
      said.push(...next);
    }
    expect(hand.device.board.fault).toBe(FAULT.none);
    return said.map(({ name }) => name).filter((name) => name !== 'ping');
  }

  it('with one free place start is refused, and the previous run is reported after it', () => {
    expect(startWithPlaces(1)).toEqual(['abort', 'refusal', 'runEnded']);
  });

  it('with two free places the previous run is reported, then start is answered', () => {
    expect(startWithPlaces(2)).toEqual(['abort', 'runEnded', 'start']);
  });
});

describe('an error inside the firmware', () => {
  it('latches a fault, refuses the command, and the device still answers', () => {
    const hand = loaded();
    vi.spyOn(hand.device.board.memory, 'setRegisters').mockImplementation(() => {
      throw new TypeError('a bug');
    });
    const registers = { bank: 0, damping: 0, noiseAmplitude: 0, noiseShift: 8 };
    const said = hand.say(
      hand.command('setRegisters', 5, registers),
      hand.command('setRegisters', 5, registers),
      hand.command('start', 6, START),
      hand.command('readStatus', 7, {}),
      hand.command('acknowledge', 8, {}),
    );
    const refusal = {
      name: 'refusal',
      fields: {
        reason: REFUSAL.wrongState,
        state: DEVICE_STATE.fault,
        detail: 'internal fault: TypeError: a bug',
      },
    };
    expect(said).toMatchObject([
      refusal,
      refusal,
      { name: 'refusal', fields: { reason: REFUSAL.wrongState } },
      { name: 'readStatus', fields: { state: DEVICE_STATE.fault, fault: FAULT.internal } },
      { name: 'acknowledge', fields: { state: DEVICE_STATE.safe } },
    ]);
    expect(hand.device.board.fault).toBe(FAULT.none);
  });

  it('ends the run in progress', () => {
    const hand = loaded();
    hand.say(hand.command('start', 5, START));
    vi.spyOn(hand.device.board.memory, 'define').mockImplementation(() => {
      throw new Error('a bug');
    });
    const define = hand.command('defineProgram', 6, { bank: 1, ...SHAPE, cells: 8, rows: 8 });
    expect(hand.say(define)).toMatchObject([
      { name: 'refusal' },
      { name: 'runEnded', fields: { runId: 1, outcome: RUN_OUTCOME.fault } },
    ]);
  });
});

describe('reset', () => {
  it('stops the run before the answer to the reset has left', () => {
    const hand = loaded();
    hand.say(hand.command('start', 5, START));
    hand.device.receive(hand.command('reset', 6, {}), 0);
    expect(hand.device.board.state).toBe('boot');
    expect(hand.device.advance(100)).toBe(0);
    expect(hand.say()).toMatchObject([
      { name: 'reset' },
      { name: 'runEnded', fields: { outcome: RUN_OUTCOME.stopped } },
    ]);
    expect(hand.device.board).toMatchObject({ state: 'safe', bootEpoch: 2 });
  });
});
