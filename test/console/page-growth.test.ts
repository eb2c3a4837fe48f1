import { describe, expect, it } from 'vitest';
import { isBuilt } from '../support/child-process.js';
import { launchChromium, missingChromium } from '../support/chromium.js';
import { FakeHub } from './support/fake-hub.js';
import { boardView, busySecond } from './support/views.js';

const CELLS = 64;
/** At this minute the page's memory of ten minutes is full, and the page has been drawn many times. */
const FULL_MINUTE = 15;
const LAST_MINUTE = 45;
/**
 * A page that kept every reading would grow by 18,000 rows of 65 numbers in half an hour, which is over 9 MB.
 */
const GROWTH_BYTES_MAX = 1_000_000;
const NODES_GROWTH_MAX = 50;

describe.skipIf(missingChromium() !== undefined || !isBuilt)(
  'a page that is open for long',
  { tags: 'long' },
  () => {
    it('does not grow in 30 minutes of events, after 15 minutes in which its ring buffers fill', async () => {
      const hub = await FakeHub.start({ boards: [boardView({ state: 'running' })] });
      const browser = await launchChromium();
      try {
        const page = await browser.newPage();
        await page.goto(hub.url);
        await hub.page();
        const devtools = await page.context().newCDPSession(page);

        const playMinutes = async (from: number, to: number): Promise<void> => {
          for (let second = 60 * from; second < 60 * to; second++)
            await hub.tellSlowly(busySecond('left', CELLS, second));
          // The page has drawn the last event.
          const step = (60 * to - 1).toLocaleString('en-US');
          await page.getByText(`step ${step}`, { exact: false }).first().waitFor({ timeout: 120_000 });
        };
        const measure = async (): Promise<{ readonly bytes: number; readonly nodes: number }> => {
          await devtools.send('HeapProfiler.collectGarbage');
          await devtools.send('HeapProfiler.collectGarbage');
          const { usedSize } = await devtools.send('Runtime.getHeapUsage');
          return {
            bytes: usedSize,
            nodes: await page.evaluate<number>('document.querySelectorAll("*").length'),
          };
        };

        await playMinutes(0, FULL_MINUTE);
        const before = await measure();
        await playMinutes(FULL_MINUTE, LAST_MINUTE);
        const after = await measure();
        console.log(
          `heap after garbage collection: ${before.bytes} bytes at minute ${FULL_MINUTE}, ${after.bytes} at ${LAST_MINUTE}; ` +
            `elements: ${before.nodes}, ${after.nodes}`,
        );
        expect(after.bytes - before.bytes).toBeLessThan(GROWTH_BYTES_MAX);
        expect(after.nodes - before.nodes).toBeLessThan(NODES_GROWTH_MAX);
      } finally {
        await browser.close();
        await hub.kill().catch(() => undefined);
      }
    });
  },
);
