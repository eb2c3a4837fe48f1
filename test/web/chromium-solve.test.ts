import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, drawSamples, invert, relax, solve } from '../../src/index.js';
import { readRepositoryFile } from '../repository/files.js';
import { launchChromium, missingChromium, type ServedFolder, serveFolder } from '../support/chromium.js';
import { bundleOf } from '../support/web-bundle.js';

const missing = missingChromium();
const ADDRESS = { seed: 7, step: 0, block: 0 };
const ENTRIES = [4, 1, 0, 1, 3, 1, 0, 1, 2];
const DRIVE = [1, 2, 3];
const KINDS = ['ideal-8', 'spu-8'] as const;

describe.skipIf(missing !== undefined)(
  `a page in Chromium${missing ? ` (${missing})` : ''}`,
  { tags: 'long' },
  () => {
    let folder: string;
    let server: ServedFolder;
    let browser: Browser;
    let page: Page;

    beforeAll(async () => {
      folder = mkdtempSync(path.join(tmpdir(), 'thermolink-web-'));
      for (const { name, text } of await bundleOf('src/web/index.ts')) {
        mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
        writeFileSync(path.join(folder, name), text);
      }
      const names = JSON.stringify({ imports: { 'thermolink/web': './entry.js' } });
      writeFileSync(
        path.join(folder, 'index.html'),
        `<!doctype html><title>test</title><link rel="icon" href="data:,"><script type="importmap">${names}</script>`,
      );
      server = await serveFolder(folder);
      browser = await launchChromium();
      page = await browser.newPage();
      await page.goto(server.url);
    });

    afterAll(async () => {
      await browser?.close();
      server?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    /** The result of a program in the page. The program has the exports of thermolink/web as `web`. */
    const inPage = <T>(program: string): Promise<T> =>
      page.evaluate(`import('./entry.js').then(async (web) => { ${program} })`);

    it('runs the program of docs/how-to/drive-from-the-browser.md', async () => {
      const [, program] = /```js\n([\s\S]*?)```/.exec(
        readRepositoryFile('docs/how-to/drive-from-the-browser.md'),
      )!;
      const said: string[] = [];
      page.on('console', (message) => said.push(message.text()));
      await page.evaluate(`import('data:text/javascript,' + encodeURIComponent(${JSON.stringify(program)}))`);
      // x = (1, 7)/11.
      expect(said).toEqual([
        expect.stringMatching(/^x\[0\] = 0\.09\d+ ± /),
        expect.stringMatching(/^x\[1\] = 0\.63\d+ ± /),
      ]);
    });

    it.each(KINDS)('computes on %s in a worker with the same bits as in Node', async (profile) => {
      const here = await connect(`emulator:${profile}?die=3`);
      const data = Float64Array.from(ENTRIES);
      const system = { kind: 'dense', matrix: { rows: 3, columns: 3, data } } as const;
      const drive = Float64Array.from(DRIVE);
      const expected = [
        (await solve(here, { system, drive, tolerance: 1e-2, address: ADDRESS })).x,
        (
          await relax(here, {
            system,
            drive,
            initial: new Float64Array(3),
            time: 0.5,
            address: ADDRESS,
          })
        ).x,
        (await invert(here, { system, tolerance: 0.1, address: ADDRESS })).inverse.data,
        (await drawSamples(here, { precision: system, count: 20, address: ADDRESS })).draws.data,
      ].map((values) => [...values]);
      await here.close();
      const there = await inPage<number[][]>(`
      const device = await web.connectWorker({ profile: '${profile}', dieSeed: 3 });
      const system = { kind: 'dense', matrix: web.matrix(3, 3, Float64Array.from(${JSON.stringify(ENTRIES)})) };
      const drive = Float64Array.from(${JSON.stringify(DRIVE)});
      const address = ${JSON.stringify(ADDRESS)};
      const results = [
        (await web.solve(device, { system, drive, tolerance: 1e-2, address })).x,
        (await web.relax(device, { system, drive, initial: new Float64Array(3), time: 0.5, address })).x,
        (await web.invert(device, { system, tolerance: 0.1, address })).inverse.data,
        (await web.drawSamples(device, { precision: system, count: 20, address })).draws.data,
      ];
      await device.close();
      return results.map((values) => [...values]);
    `);
      expect(there).toEqual(expected);
    });
  },
);
