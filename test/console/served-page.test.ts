import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { BUILT_CLI, isBuilt, JsonProcess } from '../support/child-process.js';
import { launchChromium, missingChromium } from '../support/chromium.js';

const PRECISION = '2,0.5,0\n0.5,2,0.5\n0,0.5,2\n';
/** Many more draws than the board makes before the stop. */
const DRAWS = 10_000_000;

describe.skipIf(missingChromium() !== undefined || !isBuilt)('thermolink console', { tags: 'long' }, () => {
  it('shows a busy board, stops it during a run, and works again after the server was killed', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'thermolink-console-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const serve = (listen: string): JsonProcess =>
      new JsonProcess([
        ...[BUILT_CLI, 'console', '--no-open', '--json', '--listen', listen],
        ...['--device', 'lab=emulator:prototype-64'],
      ]);
    const first = serve('127.0.0.1:0');
    const { url, uris } = await first.next<{ readonly url: string; readonly uris: readonly string[] }>(
      'listening',
    );
    const browser = await launchChromium();
    onTestFinished(() => browser.close());
    const page = await browser.newPage();
    page.setDefaultTimeout(30_000);
    await page.goto(url);
    await page.getByText('connected', { exact: true }).waitFor();

    writeFileSync(path.join(directory, 'P.csv'), PRECISION);
    const client = new JsonProcess([
      ...[BUILT_CLI, 'sample', '--matrix', path.join(directory, 'P.csv'), '--count', `${DRAWS}`],
      ...['--out', path.join(directory, 'x.npy'), '--device', uris[0], '--json'],
    ]);
    await page.getByText('as it should be').first().waitFor();
    await page
      .getByText(/cell 2/)
      .first()
      .waitFor();
    await page.getByRole('button', { name: 'Stop lab' }).click();
    await page.getByRole('alert').filter({ hasText: 'Stopped. The board is safe.' }).waitFor();
    expect(await client.ended()).not.toBe(0);
    await page.locator('.head .badge', { hasText: /^safe$/ }).waitFor();

    await first.end('SIGKILL');
    await page.getByText('The server has not answered since').waitFor();
    const second = serve(new URL(url).host);
    await second.next('listening');
    await page.getByText('connected', { exact: true }).waitFor();
  });
});
