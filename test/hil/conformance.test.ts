import { readdirSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Clock } from '../../firmware-protocol/clock.js';
import type { Port } from '../../firmware-protocol/port.js';
import { type ClauseResult, checkBoard } from '../../src/cli/commands/conformance/check-board.js';
import type { Clause } from '../../src/cli/commands/conformance/clause.js';
import { CLAUSES } from '../../src/cli/commands/conformance/clauses/index.js';
import { SYSTEM_CLOCK } from '../../src/driver/system-clock.js';
import { openTcp, startQemu } from './devices.js';
import { makeMcu, readUf2File } from './firmware.js';
import { PicoChip, readUf2 } from './pico-chip.js';
import { plugInUart, plugInUsb } from './pico-port.js';

/** Rules that these boards cannot show: several connections, no feature `hold`, samples of many cells. */
const NOT_SHOWN = CLAUSES.filter(
  ({ id, connections }) => connections || id === 'RUN-4' || id === 'BLOCK-2',
).map(({ id }) => id);
/** Rules for boards that keep a calibration record, as a Pico does, and rules for boards that do not. */
const RULES_OF_RECORD = /^CALIBRATION-[1-5]$/;
const RULES_WITHOUT_RECORD = /^CALIBRATION-6$/;

const notShown = (rules: RegExp): string[] =>
  CLAUSES.map(({ id }) => id).filter((id) => NOT_SHOWN.includes(id) || rules.test(id));

const check = (
  open: () => Promise<Port>,
  clock: Clock,
  clauses: readonly Clause[] = CLAUSES,
): Promise<ClauseResult[]> => {
  const { signal } = new AbortController();
  return checkBoard({ clauses, open, severalConnections: false, clock, signal });
};

const idsOf = (results: readonly ClauseResult[], status: ClauseResult['status']) =>
  results.filter((result) => result.status === status).map(({ id }) => id);

describe('the rules of the protocol are kept', () => {
  test.for([
    ['pico', plugInUsb],
    ['pico-uart', plugInUart],
  ] as const)('by the firmware on a Pico (rp2040js): %s', async ([target, plugIn]) => {
    const image = readUf2(readUf2File(makeMcu(target), `thermolink-${target}.uf2`));
    const plugged = plugIn(new PicoChip(image));
    const { clock, run, openAgain, bus } = plugged;
    const results = await run(check(() => Promise.resolve(openAgain().port), clock));
    expect(results.filter(({ status }) => status === 'failed')).toEqual([]);
    expect(idsOf(results, 'skipped')).toEqual(notShown(RULES_WITHOUT_RECORD));
    expect(bus?.faults ?? []).toEqual([]);
  });

  test('by the firmware on a Cortex-M3 (QEMU, lm3s6965evb)', async () => {
    const { uri, child } = await startQemu();
    onTestFinished(() => void child.kill('SIGKILL'));
    computeFirst(child.pid!);
    const open = () => openTcp(uri);
    const results = await check(open, SYSTEM_CLOCK);
    expect(results.filter(({ status }) => status === 'failed')).toEqual([]);
    expect(idsOf(results, 'skipped')).toEqual(notShown(RULES_OF_RECORD));
  });
});

/**
 * Gives the process of QEMU priority over other work, because a real board has its own processor. If this
 * process has no right to set priorities, nothing changes.
 */
function computeFirst(pid: number): void {
  for (const thread of readdirSync(`/proc/${pid}/task`))
    try {
      setPriority(Number(thread), constants.priority.PRIORITY_HIGHEST);
    } catch {
      return;
    }
}
