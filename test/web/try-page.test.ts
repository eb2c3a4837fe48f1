import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { launchChromium, missingChromium, type ServedFolder, serveFolder } from '../support/chromium.js';
import { buildTryPage } from '../support/web-bundle.js';

const missing = missingChromium();
const DONE_MS = 60_000;

/** Builds the page and reads the built files. */
async function buildPage(folder: string): Promise<Record<string, Buffer>> {
  await buildTryPage(folder);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return Object.fromEntries(
    files
      .filter((file) => statSync(path.join(folder, file)).isFile())
      .map((file) => [file, readFileSync(path.join(folder, file))]),
  );
}

describe.skipIf(missing !== undefined)(
  `the page of docs/try${missing ? ` (${missing})` : ''}`,
  { tags: 'long' },
  () => {
    const folders: string[] = [];
    let built: Record<string, Buffer>;
    let server: ServedFolder;
    let browser: Browser;

    const newFolder = (): string => {
      const folder = mkdtempSync(path.join(tmpdir(), 'thermolink-try-'));
      folders.push(folder);
      return folder;
    };

    beforeAll(async () => {
      const folder = newFolder();
      built = await buildPage(folder);
      server = await serveFolder(folder);
      browser = await launchChromium();
    });

    afterAll(async () => {
      await browser?.close();
      server?.close();
      for (const folder of folders) rmSync(folder, { recursive: true, force: true });
    });

    /** The page in a new context, its requests and its errors. */
    async function open(options: BrowserContextOptions = {}) {
      const context = await browser.newContext(options);
      onTestFinished(() => context.close());
      const page = await context.newPage();
      const complaints: string[] = [];
      const requests: string[] = [];
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('console', (message) => complaints.push(message.text()));
      page.on('request', (request) => requests.push(request.url()));
      await page.goto(server.url);
      return { page, complaints, requests };
    }

    const said = (page: Page, text: string): Promise<void> =>
      page.getByRole('status').getByText(text, { exact: true }).waitFor({ timeout: DONE_MS });

    /** The numbers of a table's cells, row by row. */
    const numbersOf = async (page: Page, id: string): Promise<number[]> =>
      (await page.locator(`#${id} td`).allTextContents()).map((text) => Number(text.replace('−', '-')));

    it('is built the same each time', async () => {
      const again = await buildPage(newFolder());
      expect(Object.keys(again).sort()).toEqual(Object.keys(built).sort());
      for (const [file, bytes] of Object.entries(built)) expect(again[file].equals(bytes), file).toBe(true);
    });

    it('solves a system by keyboard alone, and makes no requests to other servers', async () => {
      const { page, complaints, requests } = await open();
      // The fields in the order of the keyboard: board, board type, example, matrix, drive.
      await page.getByRole('radio', { name: 'Emulated in this page' }).focus();
      for (let i = 0; i < 3; i++) await page.keyboard.press('Tab');
      await page.keyboard.press('ControlOrMeta+A');
      await page.keyboard.type('5 2\n2 3');
      await page.keyboard.press('Tab');
      await page.keyboard.press('ControlOrMeta+A');
      await page.keyboard.type('1 -1');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await said(page, 'Done.');
      // x = (5, −7)/11, by Cramer's rule.
      const rows = await numbersOf(page, 'solution-rows');
      for (const [i, x] of [5 / 11, -7 / 11].entries()) {
        const [board, standardError, exact] = rows.slice(3 * i, 3 * i + 3);
        expect(exact).toBeCloseTo(x, 5);
        expect(Math.abs(board - x)).toBeLessThan(2e-3);
        expect(standardError).toBeLessThan(1e-3);
      }
      // A⁻¹ = (3 −2; −2 5)/11. With ten thousand draws the standard error is 1.4 %. An error of five times
      // that is found once in a million.
      const [measured, exact] = [await numbersOf(page, 'measured'), await numbersOf(page, 'exact')];
      for (const [i, entry] of [3, -2, -2, 5].entries()) {
        expect(exact[i]).toBeCloseTo(entry / 11, 3);
        expect(Math.abs(measured[i] - entry / 11)).toBeLessThan((0.07 * 5) / 11);
      }
      // The last reading is six time constants after the start, so e⁻⁶ of the initial distance is left.
      const chart = (await page.getByRole('img').getAttribute('aria-label'))!.replaceAll('−', '-');
      const readings = [...chart.matchAll(/x\d is (\S+) of (\S+?)[,.](?= |$)/g)].map(([, got, goal]) => [
        +got,
        +goal,
      ]);
      expect(readings).toHaveLength(2);
      for (const [got, goal] of readings) expect(Math.abs(got - goal)).toBeLessThan(0.01);
      expect(complaints).toEqual([]);
      expect(requests.filter((url) => !url.startsWith(server.url) && url !== 'data:,')).toEqual([]);
    });

    it.each(['ideal-64', 'spu-8', 'harsh-64'])('offers the board %s', async (profile) => {
      const { page, complaints } = await open();
      await page.getByLabel('Type').selectOption(profile);
      await page.getByRole('button', { name: 'Run' }).click();
      await said(page, 'Done.');
      expect(complaints).toEqual([]);
    });

    it('stops during a run, and runs again', async () => {
      const { page } = await open();
      await page.getByLabel('Example').selectOption('chain');
      await page.getByRole('button', { name: 'Run' }).click();
      await page.locator('#relaxation').waitFor();
      await page.getByRole('button', { name: 'Stop' }).click();
      await said(page, 'Stopped.');
      await page.getByLabel('Example').selectOption('two');
      await page.getByRole('button', { name: 'Run' }).click();
      await said(page, 'Done.');
    });

    it.each([
      ['4 1\n2 3', '1 1', /not symmetric: row 1, column 2 is 1, but row 2, column 1 is 2/, 'matrix'],
      ['1 2\n2 1', '1 1', /not positive definite/, 'matrix'],
      ['4 1\n1 3', '1', /drive has 1 number, but the matrix has 2 rows/, 'drive'],
      [identity(9), Array(9).fill(1).join(' '), /matrix has 9 rows, but this board has 8 cells/, 'matrix'],
    ])('describes the error in %j in plain words', async (matrixText, driveText, message, field) => {
      const { page, complaints } = await open();
      await page.locator('#matrix').fill(matrixText);
      await page.locator('#drive').fill(driveText);
      await page.getByRole('button', { name: 'Run' }).click();
      await page.getByRole('alert').getByText(message).waitFor({ timeout: DONE_MS });
      // The wrong field has the focus and is marked as invalid.
      await page.locator(`#${field}:focus[aria-invalid=true]`).waitFor();
      expect(await page.getByRole('button', { name: 'Run' }).isEnabled()).toBe(true);
      expect(complaints).toEqual([]);
    });

    it('reports that the browser has no Web Serial', async () => {
      const { page } = await open();
      await page.evaluate(`Object.defineProperty(navigator, 'serial', { value: undefined })`);
      await page.getByRole('radio', { name: 'On USB or a serial port' }).check();
      await page.getByRole('button', { name: 'Choose the port…' }).click();
      await page
        .getByRole('alert')
        .getByText('This browser gives pages no access to serial ports.')
        .waitFor();
    });

    it('reports that no board is connected, and that a value is not a baud rate', async () => {
      const { page } = await open();
      await page.getByRole('radio', { name: 'On USB or a serial port' }).check();
      await page.getByRole('button', { name: 'Run' }).click();
      await page.getByRole('alert').getByText('No board is connected.').waitFor();
      await page.getByLabel('Baud rate').fill('fast');
      await page.getByRole('button', { name: 'Choose the port…' }).click();
      await page.getByRole('alert').getByText('“fast” is not a whole number').waitFor();
    });

    it.each(['light', 'dark'] as const)(
      'fits a phone of 360 pixels and has its colours: %s',
      async (colorScheme) => {
        const { page } = await open({ colorScheme, viewport: { width: 360, height: 740 } });
        await page.getByLabel('Example').selectOption('chain');
        await page.getByRole('button', { name: 'Run' }).click();
        await page.locator('#covariance').waitFor({ timeout: DONE_MS });
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
        const ground = await page.evaluate('getComputedStyle(document.body).backgroundColor');
        expect(ground).toBe(colorScheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(20, 23, 27)');
      },
    );
  },
);

function identity(size: number): string {
  return Array.from({ length: size }, (_, i) =>
    Array.from({ length: size }, (_, j) => (i === j ? 1 : 0)).join(' '),
  ).join('\n');
}
