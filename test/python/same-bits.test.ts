import { beforeEach, describe, expect, it } from 'vitest';
import { connect } from '../../src/connect.js';
import { ThermolinkError } from '../../src/errors.js';
import { type Case, CONDITIONED_CASES, LARGE_CASES, SEED, SMALL_CASES } from './cases.js';
import { missingPackage, runPython, serveBoard } from './package.js';
import { recordingDevice, type Sent } from './recording-device.js';

interface Outcome {
  readonly sent: readonly Sent[];
  /** The part of the result that must be equal bit for bit, or the code of the error. */
  readonly values?: readonly number[] | undefined;
  readonly error?: string | undefined;
}

/** The programs and runs that this library sends to a board for a case, and its result. */
async function outcomeHere(profile: string, { here }: Case): Promise<Outcome> {
  const sent: Sent[] = [];
  const device = await connect(`emulator:${profile}`);
  try {
    return { sent, values: [...(await here(recordingDevice(device, sent)))] };
  } catch (error) {
    if (error instanceof ThermolinkError) return { sent, error: error.code };
    throw error;
  } finally {
    await device.close();
  }
}

async function outcomesInPython(profile: string, cases: readonly Case[]): Promise<Outcome[]> {
  const uri = await serveBoard(profile);
  const script = new URL('run_cases.py', import.meta.url).pathname;
  const input = JSON.stringify(cases.map(({ call, arguments: given }) => ({ call, arguments: given })));
  const { exitCode, stdout, stderr } = await runPython([script, uri], { input });
  expect(exitCode, stderr).toBe(0);
  return stdout
    .trim()
    .split('\n')
    .map((line, at) => {
      const { sent, result, error } = JSON.parse(line);
      return { sent, values: result?.[cases[at].exact].flat(), error };
    });
}

async function expectSameBits(profile: string, cases: readonly Case[]): Promise<void> {
  const found = await outcomesInPython(profile, cases);
  for (const [at, one] of cases.entries()) {
    const wanted = await outcomeHere(profile, one);
    expect(found[at].error, one.name).toBe(wanted.error);
    expect(found[at].sent, one.name).toEqual(wanted.sent);
    expect(found[at].values, one.name).toEqual(wanted.values);
  }
}

describe(`the Python package sends and returns the same bits as this library (seed ${SEED})`, () => {
  beforeEach((context) => {
    const missing = missingPackage();
    context.skip(missing !== undefined, missing);
  });

  // Some cases of each call.
  const few = SMALL_CASES.filter((_, at) => at % 2 === 1);
  it('on an ideal board, in some cases', () => expectSameBits('ideal-8', few));
  it('on an ideal board', { tags: 'long' }, () => expectSameBits('ideal-8', SMALL_CASES));
  it.each([
    ['an imperfect board', 'prototype-8', SMALL_CASES],
    ['an ideal board, badly conditioned', 'ideal-8', CONDITIONED_CASES],
    ['an imperfect board, badly conditioned', 'prototype-8', CONDITIONED_CASES],
    ['an ideal board of 64 cells', 'ideal-64', LARGE_CASES],
    ['an imperfect board of 64 cells', 'prototype-64', LARGE_CASES],
    ['a board on which every effect is large', 'harsh-64', SMALL_CASES],
  ])('on %s', { tags: 'long' }, (_, profile, cases) => expectSameBits(profile, cases));
});
