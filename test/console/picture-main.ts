/** `node dist/test/console/picture-main.js FILE.png` makes the picture of docs/how-to/watch-boards.md. */
import process from 'node:process';
import { launchChromium } from '../support/chromium.js';
import { FakeHub } from './support/fake-hub.js';
import { BEGIN_MS, boardView, busySecond } from './support/views.js';

const SECONDS = 12;

const lease = { owner: 'ada', client: '127.0.0.1:51000', sinceMs: BEGIN_MS, heardMs: BEGIN_MS };
const hub = await FakeHub.start({
  boards: [boardView({ state: 'running', lease }), boardView({ name: 'right' })],
});
const browser = await launchChromium();
const page = await browser.newPage({ viewport: { width: 1140, height: 560 }, deviceScaleFactor: 1 });
await page.goto(hub.url);
await hub.page();
for (let second = 0; second < SECONDS; second++) hub.tell(...busySecond('left', 8, second));
await page.getByText(`step ${SECONDS - 1}`).waitFor();
await page.screenshot({ path: process.argv[2] });
await browser.close();
await hub.kill();
