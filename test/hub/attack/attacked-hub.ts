import { expect } from 'vitest';
import { connect } from '../../../src/connect.js';
import type { Device } from '../../../src/driver/device.js';
import { BUILT_CLI, JsonProcess } from '../../support/child-process.js';
import { ATTACKER, residentBytes, type Target } from './attacks.js';

/** Largest growth of the server's memory during an attack, including memory that is not collected yet. */
const GROWTH_BYTES_MAX = 96 << 20;
/** Longest time until a good client is answered during an attack, on two processors that others use too. */
const ANSWER_MS_MAX = 5000;

/** A server in a process of its own, and a good client that drives its first board. */
export interface AttackedHub {
  readonly target: Target;
  /** The URIs of its boards. */
  readonly uris: readonly string[];
  readonly device: Device;
  /**
   * Attacks while the good client asks its board again and again, and looks at the server's memory. Prints
   * the text that the attack returns, followed by the measured numbers.
   */
  during(name: string, attack: () => Promise<string>): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts `thermolink serve` with these arguments. `parameters` are appended to the URI of the good client.
 */
export async function attackedHub(args: readonly string[], parameters: string): Promise<AttackedHub> {
  let end: () => void = () => undefined;
  const server = new JsonProcess([BUILT_CLI, 'serve', '--json', ...args], (stop) => {
    end = stop;
  });
  const { url, uris } = await server.next<{ url: string; uris: readonly string[] }>('listening');
  const device = await connect(`${uris[0]}${parameters}`);
  return {
    target: { port: Number(new URL(url).port), from: ATTACKER },
    uris,
    device,
    during: async (name, attack) => {
      const before = residentBytes(server.pid);
      let peak = before;
      let slowestMs = 0;
      let answers = 0;
      let isOver = false;
      const good = (async () => {
        while (!isOver) {
          const startMs = performance.now();
          await device.readStatus({ timeoutMs: ANSWER_MS_MAX });
          slowestMs = Math.max(slowestMs, performance.now() - startMs);
          peak = Math.max(peak, residentBytes(server.pid));
          answers++;
          await new Promise((resolve) => setImmediate(resolve));
        }
      })();
      const startMs = performance.now();
      const outcome = await attack();
      const seconds = (performance.now() - startMs) / 1000;
      isOver = true;
      await good;
      const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
      process.stdout.write(
        `${name}: ${outcome}, ${seconds.toFixed(1)} s; server ${mebibytes(before)} MiB, at most ${mebibytes(peak)} MiB; ` +
          `good client: ${answers} answers, the slowest ${slowestMs.toFixed(0)} ms\n`,
      );
      expect(answers).toBeGreaterThan(0);
      expect(peak - before).toBeLessThan(GROWTH_BYTES_MAX);
      // Another good client is still answered: it is told that the board is busy.
      await expect(connect(`${uris[0]}${parameters}`, { reconnect: false })).rejects.toMatchObject({
        code: 'BUSY',
      });
    },
    close: async () => {
      await device.close();
      end();
    },
  };
}
