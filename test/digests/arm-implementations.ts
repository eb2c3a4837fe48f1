import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { makeMcu } from '../hil/firmware.js';
import { hasProgram } from '../support/programs.js';
import { type Implementation, linesOf, split } from './implementations.js';

const DEADLINE_MS = 300_000;
/**
 * 16 MB of RAM are enough for two banks of 1024 × 1024 couplings, but not for the 8192 cells of this board.
 */
const TOO_LARGE = 'profile ideal-crossbar';

/** The C device model compiled for a processor without division or floating point, in qemu-system-arm. */
function onArm(name: string, target: string): Implementation {
  return {
    name,
    isLong: true,
    missing: () => {
      const tools = ['arm-none-eabi-gcc', 'qemu-system-arm', 'make'];
      const absent = tools.find((program) => !hasProgram(program));
      return absent === undefined ? undefined : `no ${absent}`;
    },
    holds: ({ orders }) => !orders.includes(TOO_LARGE),
    run(problems) {
      const elf = path.join(makeMcu(target), `thermolink-${target}.elf`);
      const machine = ['-M', 'mps2-an385', '-display', 'none', '-monitor', 'none', '-serial', 'null'];
      const semihosting = ['-semihosting-config', 'enable=on,target=native'];
      const { stdout, stderr, status } = spawnSync(
        'qemu-system-arm',
        [...machine, ...semihosting, '-kernel', elf],
        {
          input: `${linesOf(problems).join('\n')}\n`,
          encoding: 'utf8',
          maxBuffer: 1 << 28,
          timeout: DEADLINE_MS,
        },
      );
      if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr}`);
      return split(stdout.trimEnd().split(/\r?\n/), problems.length);
    },
  };
}

/**
 * These implementations need system packages, which `npm test` does not need: `npm run digests` and `npm run
 * test:hil` run them.
 */
export const ARM_IMPLEMENTATIONS: readonly Implementation[] = [
  onArm('C device model, Cortex-M0+ (QEMU)', 'digest-m0'),
  onArm('C device model, Cortex-M3 (QEMU)', 'digest-m3'),
];
