import { readFileSync } from 'node:fs';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { isBuilt } from '../support/child-process.js';
import { launchChromium, missingChromium } from '../support/chromium.js';
import { FakeHub, type FakeHubOptions } from './support/fake-hub.js';
import { BEGIN_MS, boardView, busySecond } from './support/views.js';

const PHONE = { viewport: { width: 360, height: 740 } };
/**
 * Markup, quotes, an entity, a script, a character that reverses the direction of the text, and a word of 90
 * letters.
 */
const HOSTILE = `<img src=x onerror="window.harmed=1">'&amp;<script>window.harmed=1</script>\u202e${'W'.repeat(90)}`;
const BUSY = boardView({
  state: 'running',
  lease: { owner: 'ada', client: '127.0.0.1:51000', sinceMs: BEGIN_MS, heardMs: BEGIN_MS },
  queue: [{ owner: 'bob', client: '127.0.0.1:51002', sinceMs: BEGIN_MS, untilMs: BEGIN_MS + 60_000 }],
});

describe.skipIf(missingChromium() !== undefined || !isBuilt)('the live page', { tags: 'long' }, () => {
  let browser: Browser;
  const hubs: FakeHub[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    for (const hub of hubs.splice(0)) await hub.kill().catch(() => undefined);
    complaints.length = 0;
  });

  async function start(options: FakeHubOptions = {}): Promise<FakeHub> {
    const hub = await FakeHub.start({ boards: [boardView()], ...options });
    hubs.push(hub);
    return hub;
  }

  /** Opens the page. Collects its errors and its requests to other servers. */
  async function open(hub: FakeHub, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await (await browser.newContext(options)).newPage();
    page.setDefaultTimeout(10_000);
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (line) => line.type() === 'error' && complaints.push(line.text()));
    page.on('request', (request) => {
      if (!request.url().startsWith(hub.url)) complaints.push(`asked ${request.url()}`);
    });
    await page.goto(hub.url);
    return page;
  }

  async function openBusy(options: BrowserContextOptions = {}, seconds = 3): Promise<[FakeHub, Page]> {
    const hub = await start({ boards: [BUSY, boardView({ name: 'right' })] });
    const page = await open(hub, options);
    await hub.page();
    for (let second = 0; second < seconds; second++) hub.tell(...busySecond('left', 8, second));
    await page
      .getByText(`${(2000 * seconds).toLocaleString('en-US')} samples`)
      .first()
      .waitFor();
    return [hub, page];
  }

  const isWider = (page: Page): Promise<boolean> =>
    page.evaluate('document.documentElement.scrollWidth > innerWidth');

  it('shows the data of a board, with units, and contacts no other machine', async () => {
    const [, page] = await openBusy();
    expect(complaints).toEqual([]);
    const text = await page.locator('main').innerText();
    // Voltages, moments beside their expected values, the link, a training, the lease and the queue.
    for (const part of ['mV', 'as it should be', 'kB/s', 'Repeated commands', 'trainLoss', 'ada', 'bob'])
      expect(text).toContain(part);
    await expect.poll(() => page.title()).toBe('left: running · thermolink console');
    await page.getByText('Means as a table').click();
    await page.getByRole('columnheader', { name: 'Should be' }).waitFor();
  });

  it('stops by the button and shows the state of the board after that', async () => {
    const [hub, page] = await openBusy();
    await page.getByRole('button', { name: 'Stop left' }).click();
    await page.getByRole('alert').filter({ hasText: 'The board is safe' }).waitFor();
    expect(hub.asked).toEqual([
      { method: 'POST', path: '/api/boards/left/stop', body: '', token: undefined },
    ]);
  });

  it('stops the board that is shown by Escape, wherever the focus is', async () => {
    const [hub, page] = await openBusy();
    await page.getByRole('link', { name: /^right/ }).click();
    await page.getByRole('heading', { name: 'right' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('alert').filter({ hasText: 'The board is safe' }).waitFor();
    expect(hub.asked.map((one) => one.path)).toEqual(['/api/boards/right/stop']);
  });

  it('shows the stop button at the top of the page and far down, also on a phone', async () => {
    const [, page] = await openBusy(PHONE);
    const stop = page.getByRole('button', { name: 'Stop left' });
    const isInSight = async (): Promise<boolean> => {
      const { y, height } = (await stop.boundingBox())!;
      return y >= 0 && y + height <= PHONE.viewport.height;
    };
    expect(await isInSight()).toBe(true);
    await page.evaluate('scrollTo(0, document.body.scrollHeight)');
    expect(await isInSight()).toBe(true);
  });

  it('shows the reason of a refused stop, and the remedy', async () => {
    const [hub, page] = await openBusy();
    hub.refusal = { code: 'BOARD_LOST', message: 'The board is not reached.', remedy: 'Switch it off.' };
    await page.getByRole('button', { name: 'Stop left' }).click();
    await page.getByRole('alert').filter({ hasText: 'The board is not reached. Switch it off.' }).waitFor();
  });

  it('offers an observer no stop and no recording', async () => {
    const hub = await start({ right: 'observe' });
    const page = await open(hub);
    await expect.poll(() => page.getByRole('button', { name: 'Stop left' }).isDisabled()).toBe(true);
    expect(await page.getByRole('button', { name: 'Record' }).isDisabled()).toBe(true);
    await page.keyboard.press('Escape');
    expect(hub.asked).toEqual([]);
  });

  it('works with the keyboard alone: skip link, stop, boards', async () => {
    const [, page] = await openBusy();
    const focused = (): Promise<string> => page.evaluate('document.activeElement.innerText.split("\\n")[0]');
    const order: string[] = [];
    for (let i = 0; i < 4; i++) {
      await page.keyboard.press('Tab');
      order.push(await focused());
    }
    expect(order).toEqual(['Skip to the board', 'Stop', 'left running', 'right idle']);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'right' }).waitFor();
  });

  it('keeps showing the same board after the skip link', async () => {
    const [hub, page] = await openBusy();
    await page.getByRole('link', { name: /^right/ }).click();
    await page.getByRole('heading', { name: 'right' }).waitFor();
    await page.getByRole('link', { name: 'Skip to the board' }).focus();
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('main');
    expect(new URL(page.url()).hash).toBe('#/right');
    await page.keyboard.press('Escape');
    await page.getByRole('alert').filter({ hasText: 'The board is safe' }).waitFor();
    expect(hub.asked.map((one) => one.path)).toEqual(['/api/boards/right/stop']);
  });

  it('shows the first board if the address names no board', async () => {
    const [hub, page] = await openBusy();
    for (const hash of ['#/%', '#main', '#/nowhere']) {
      await page.goto(`${hub.url}${hash}`);
      await page.reload();
      await page.getByRole('heading', { name: 'left' }).waitFor();
    }
    expect(complaints).toEqual([]);
  });

  it('records, and hands out the trace as a file', async () => {
    const hub = await start({
      boards: [boardView({ recording: { ...boardView().recording, hasTrace: true } })],
    });
    const page = await open(hub);
    await page.getByRole('button', { name: 'Record' }).click();
    await page.getByRole('alert').filter({ hasText: 'Recording.' }).waitFor();
    expect(hub.asked[0]).toMatchObject({ path: '/api/boards/left/recording', body: '{"on":true}' });
    const waiting = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download the trace' }).click();
    const download = await waiting;
    expect(download.suggestedFilename()).toBe('left.mcap');
    expect(readFileSync(await download.path(), 'latin1')).toContain('MCAP0');
  });

  it('says that the server was killed, finds it again by itself, and keeps the curves', async () => {
    const [hub, page] = await openBusy();
    const { port } = hub;
    await hub.kill();
    await page.getByText('The server has not answered since').waitFor();
    await page.getByText('was: running').waitFor();
    await start({ port, boards: [{ ...BUSY, state: 'safe' }] });
    await page.locator('.head .badge', { hasText: /^safe$/ }).waitFor();
    await page.locator('header').getByText('connected', { exact: true }).waitFor();
    expect(await page.locator('main').innerText()).toContain('trainLoss');
    // A board that the new server does not have is gone.
    expect(await page.getByRole('link', { name: /^right/ }).count()).toBe(0);
  });

  it('asks for a token, sends it as a header and never as a part of an address', async () => {
    const hub = await start({ token: 'sesame', owner: 'ada' });
    const page = await open(hub);
    const field = page.getByLabel('The token that the server’s token file has for you');
    await field.fill('wrong');
    await page.keyboard.press('Enter');
    // The form appears again, and is empty, after the server has refused the token.
    await expect.poll(() => field.inputValue()).toBe('');
    await field.fill('sesame');
    await page.getByRole('button', { name: 'Connect' }).click();
    await page.getByText('You are ada').waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => hub.asked.map((one) => one.token)).toEqual(['Bearer sesame']);
    expect(page.url()).not.toContain('sesame');
    await page.reload();
    await page.getByText('You are ada').waitFor();
  });

  it('shows hostile names as harmless text, in the width of a phone', async () => {
    const names = { model: HOSTILE, serialNumber: HOSTILE, firmwareVersion: HOSTILE };
    const board = boardView({
      name: HOSTILE,
      uri: HOSTILE,
      problem: HOSTILE,
      identity: { ...boardView().identity!, ...names },
      lease: { owner: HOSTILE, client: HOSTILE, sinceMs: 1, heardMs: 1 },
      queue: [{ owner: HOSTILE, client: HOSTILE, sinceMs: 1, untilMs: 2 }],
      recording: { ...boardView().recording, problem: HOSTILE },
    });
    const hub = await start({ boards: [board], owner: HOSTILE });
    const page = await open(hub, PHONE);
    await hub.page();
    const note = { training: HOSTILE, timeMs: 1, owner: HOSTILE };
    for (const step of [1, 2])
      hub.tell({
        type: 'note',
        timeMs: 1,
        board: HOSTILE,
        note: { ...note, step, values: { [HOSTILE]: step } },
      });
    hub.tell(...busySecond(HOSTILE, 8, 1), {
      ...{ type: 'incident', timeMs: 1, board: HOSTILE, what: 'stopped', owner: HOSTILE, text: HOSTILE },
    });
    await page.getByRole('log').getByText(HOSTILE).first().waitFor();
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.locator('#app script').count()).toBe(0);
    expect(await page.evaluate('window.harmed')).toBeUndefined();
    expect(await isWider(page)).toBe(false);
    expect(complaints).toEqual([]);
  });

  it('runs no script from any text', async () => {
    const page = await open(await start());
    await page.evaluate(
      `document.body.insertAdjacentHTML('beforeend', '<img src="x:" onerror="window.harmed=1">')`,
    );
    await expect.poll(() => complaints.join()).toContain('Content Security Policy');
    expect(await page.evaluate('window.harmed')).toBeUndefined();
  });

  it.each([
    ['light', {}],
    ['dark', { colorScheme: 'dark' }],
    ['a phone', PHONE],
  ] as const)('has no fault that a checker of accessibility finds: %s', async (_, options) => {
    const [, page] = await openBusy({ ...options, bypassCSP: true });
    expect(await isWider(page)).toBe(false);
    await page.evaluate(axe.source);
    const found = await page.evaluate<readonly string[]>(
      `axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html)))`,
    );
    expect(found).toEqual([]);
  });

  it('is dark on a dark screen', async () => {
    const lightness = async (colorScheme: 'light' | 'dark'): Promise<number> => {
      const page = await open(await start(), { colorScheme });
      const color = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
      return Math.max(...color.match(/\d+/g)!.map(Number));
    };
    expect(await lightness('light')).toBeGreaterThan(200);
    expect(await lightness('dark')).toBeLessThan(60);
  });

  it('says that a server has no boards', async () => {
    const page = await open(await start({ boards: [] }));
    await page.getByText('This server has no boards').waitFor();
  });
});
