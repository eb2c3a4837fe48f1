import { spawnSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { EmulatedDevice, findProfile } from '../../emulator/index.js';
import { BoardServer } from '../../src/serve/board-server.js';
import { openPty } from '../../src/transport/pty.js';
import { launchChromium, missingChromium, serveFolder } from '../support/chromium.js';
import { buildTryPage } from '../support/web-bundle.js';

/** A serial port that the kernel knows; Chromium lists no pseudo-terminals. */
const KNOWN_PORT = '/dev/ttyS0';
const POLICIES = '/etc/chromium';
const WAIT_MS = 60_000;

/** The reason why a pseudo-terminal can't replace a known port, or undefined. */
function missing(): string | undefined {
  if (!existsSync(KNOWN_PORT) || !existsSync('/sys/class/tty/ttyS0/device')) return `no ${KNOWN_PORT}`;
  if (!existsSync(POLICIES)) return 'no Chromium of Debian, which reads policies there';
  // A namespace of mounts needs root.
  if (spawnSync('unshare', ['-m', 'true']).status !== 0) return 'no right to unshare mounts';
  try {
    accessSync(KNOWN_PORT, constants.W_OK);
  } catch {
    return `no right to use ${KNOWN_PORT}`;
  }
  return missingChromium();
}

const without = missing();

/**
 * Chromium needs a policy that allows its ports, because nobody is there to choose one. It also lists only
 * ports of real drivers. Therefore it runs in a namespace of mounts. In this namespace the pseudo-terminal is
 * mounted over such a port, and the policy over the settings of Chromium. Nothing outside the namespace
 * changes.
 */
function wrapped(folder: string, pty: string, origin: string): string {
  const policy = path.join(folder, 'policy.json');
  writeFileSync(policy, JSON.stringify({ SerialAllowAllPortsForUrls: [origin] }));
  const program = path.join(folder, 'chromium');
  const managed = `${POLICIES}/policies/managed`;
  const mounts = [
    `mount --bind ${realpathSync(pty)} ${KNOWN_PORT}`,
    `mount -t tmpfs none ${POLICIES}`,
    `mkdir -p ${managed}`,
    `cp ${policy} ${managed}/`,
  ].join(' && ');
  writeFileSync(
    program,
    `#!/bin/sh\nexec unshare -m sh -c '${mounts} && exec /usr/bin/chromium "$@"' sh "$@"\n`,
  );
  chmodSync(program, 0o755);
  return program;
}

it.skipIf(without !== undefined)(
  `Web Serial of Chromium drives a board on a pseudo-terminal${without ? ` (${without})` : ''}`,
  { tags: 'long' },
  async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'thermolink-serial-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    await buildTryPage(path.join(folder, 'page'));
    const files = await serveFolder(path.join(folder, 'page'));
    onTestFinished(() => files.close());
    const board = new BoardServer(new EmulatedDevice({ profile: findProfile('ideal-8')!, dieSeed: 5 }));
    const pty = await openPty();
    board.addLine(pty);
    onTestFinished(() => board.close());
    const origin = files.url.replace(/\/$/, '');
    const browser = await launchChromium({ program: wrapped(folder, pty.path, origin) });
    onTestFinished(() => browser.close());
    const page = await browser.newPage();
    await page.goto(files.url);
    expect(await page.evaluate('navigator.serial.getPorts().then((ports) => ports.length)')).toBe(1);
    // The dialog needs a person, so the program takes the port that the policy allows.
    await page.evaluate(
      'void (navigator.serial.requestPort = async () => (await navigator.serial.getPorts())[0])',
    );
    const said = (text: string) =>
      page.getByRole('status').getByText(text, { exact: true }).waitFor({ timeout: WAIT_MS });
    await page.getByRole('radio', { name: 'On USB or a serial port' }).check();
    // A pseudo-terminal has no rate. This rate only keeps frames long.
    await page.getByLabel('Baud rate').fill('921600');
    await page.getByRole('button', { name: 'Choose the port…' }).click();
    await said('The board is connected.');
    await page.getByText('ideal-8, serial number die 5, 8 cells.').waitFor();
    await page.getByRole('button', { name: 'Run' }).click();
    await said('Done.');
    // x = (1, 7)/11.
    const cells = await page.locator('#solution-rows td').allTextContents();
    for (const [i, x] of [1 / 11, 7 / 11].entries())
      expect(Math.abs(Number(cells[3 * i]) - x)).toBeLessThan(1e-3);
    // The board is still served: the port is closed and opened again.
    await page.getByRole('button', { name: 'Disconnect' }).click();
    await said('The board is disconnected.');
    await page.getByRole('button', { name: 'Choose the port…' }).click();
    await said('The board is connected.');
    // The next port does not open. The page must not show the previous board any more.
    const identity = page.getByText('ideal-8, serial number die 5, 8 cells.');
    await identity.waitFor();
    await page.evaluate(`{
      const choose = navigator.serial.requestPort;
      navigator.serial.requestPort = async () => {
        navigator.serial.requestPort = choose;
        return { getInfo: () => ({}), open: () => Promise.reject(new DOMException('No.', 'NetworkError')) };
      };
    }`);
    await page.getByRole('button', { name: 'Choose the port…' }).click();
    await page.getByText('No board is connected.').first().waitFor();
    expect(await identity.count()).toBe(0);
    await page.getByRole('button', { name: 'Choose the port…' }).click();
    await said('The board is connected.');
    await pty.close();
    await page.getByText('The board was unplugged.').waitFor({ timeout: WAIT_MS });
  },
);
