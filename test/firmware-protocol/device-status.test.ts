import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  DEVICE_INPUTS,
  DEVICE_STATE,
  type DeviceInput,
  type DeviceState,
  type DeviceStateName,
  deviceStateName,
  nextState,
  RUN_OUTCOME,
  TRANSITIONS,
} from '../../firmware-protocol/device-status.js';

const STATES = Object.keys(DEVICE_STATE) as DeviceStateName[];

// The table is repeated here on purpose: a change of the table is a change of the protocol.
const EXPECTED = `
                boot    safe    idle       configured running done       halted     fault
booted          safe    refused refused    refused    refused refused    refused    refused
sessionOpened   refused idle    idle       configured idle    done       halted     fault
committed       refused safe    configured configured running configured configured fault
programChanged  refused safe    idle       configured running done       halted     fault
started         refused refused refused    running    refused running    running    refused
completed       refused refused refused    refused    done    refused    refused    refused
aborted         refused refused refused    refused    done    refused    refused    refused
overloaded      refused refused refused    refused    halted  refused    refused    refused
stopped         boot    safe    safe       safe       safe    safe       safe       fault
watchdogExpired boot    safe    idle       configured safe    done       halted     fault
faulted         fault   fault   fault      fault      fault   fault      fault      fault
acknowledged    boot    idle    idle       configured running done       configured safe
reset           boot    boot    boot       boot       boot    boot       boot       boot
`;

const [header, ...lines] = EXPECTED.trim()
  .split('\n')
  .map((line) => line.trim().split(/\s+/));

test.each(lines.map(([input, ...cells]) => [input as DeviceInput, cells] as const))('%s', (input, cells) => {
  expect(header.map((state) => nextState(state as DeviceStateName, input))).toEqual(cells);
});

test('the table has every state and every input, and each entry is a state or a refusal', () => {
  expect(header).toEqual(STATES);
  expect(lines.map(([input]) => input)).toEqual([...DEVICE_INPUTS]);
  expect(Object.keys(TRANSITIONS)).toEqual(STATES);
  for (const state of STATES) {
    expect(Object.keys(TRANSITIONS[state]).sort()).toEqual([...DEVICE_INPUTS].sort());
    for (const next of Object.values(TRANSITIONS[state])) expect([...STATES, 'refused']).toContain(next);
  }
});

test('codes and names are inverse to each other, and codes never change', () => {
  expect(STATES.map((state) => DEVICE_STATE[state])).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  for (const state of STATES) expect(deviceStateName(DEVICE_STATE[state])).toBe(state);
  expect(RUN_OUTCOME).toEqual({ completed: 0, overload: 1, aborted: 2, stopped: 3, watchdog: 4, fault: 5 });
});

/** Every step that a board can make. */
const STEPS = STATES.flatMap((from) =>
  DEVICE_INPUTS.map((input) => {
    const next = nextState(from, input);
    return { from, input, to: next === 'refused' ? from : next };
  }),
);

test('safety laws hold for every step', () => {
  for (const { from, input, to } of STEPS) {
    // Only `started` switches outputs on, and only from a state that can start.
    if (to === 'running' && from !== 'running') {
      expect(input).toBe('started');
      expect(['configured', 'done', 'halted']).toContain(from);
    }
    // These inputs always switch outputs off.
    if (['stopped', 'watchdogExpired', 'faulted', 'reset', 'sessionOpened'].includes(input))
      expect(to).not.toBe('running');
    // Only an explicit act of the host leaves `safe` or `fault`.
    if (from === 'safe' && !['safe', 'fault', 'boot'].includes(to))
      expect(['acknowledged', 'sessionOpened']).toContain(input);
    if (from === 'fault' && to !== 'fault') expect(['acknowledged', 'reset']).toContain(input);
  }
});

test('every state can be reached from boot, and safe from every state', () => {
  const reachable = (start: DeviceStateName) => {
    const found = new Set([start]);
    // The loop over a set also visits members that are added during the loop.
    for (const state of found) for (const { from, to } of STEPS) if (from === state) found.add(to);
    return found;
  };
  expect([...reachable('boot')].sort()).toEqual([...STATES].sort());
  for (const state of STATES) expect(reachable(state)).toContain('safe');
});

test('after a stop, a run starts only after a commit that follows acknowledge or a new session', () => {
  const between = DEVICE_INPUTS.filter((input) => input !== 'acknowledged' && input !== 'sessionOpened');
  fc.assert(
    fc.property(
      fc.constantFrom(...STATES),
      fc.array(fc.constantFrom(...between), { maxLength: 30 }),
      (before, inputs) => {
        let state = nextState(before, 'stopped') as DeviceStateName;
        for (const input of inputs) {
          const next = nextState(state, input);
          if (next !== 'refused') state = next;
          expect(state).not.toBe('running');
        }
        // After the acknowledgement no run starts before a commit.
        const idle = nextState('safe', 'acknowledged') as DeviceStateName;
        expect(nextState(idle, 'started')).toBe('refused');
      },
    ),
    { seed: 20240606, numRuns: 1000 },
  );
});

test('a reset and then one boot lead from every state to safe', () => {
  for (const code of Object.values(DEVICE_STATE) as DeviceState[])
    expect(nextState(nextState(deviceStateName(code), 'reset') as DeviceStateName, 'booted')).toBe('safe');
});
