import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { PYTHON } from './python.js';

/** The files of Chromium in Debian and other systems. `CHROMIUM` names another file. */
const PROGRAM = [
  process.env['CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((file) => file !== undefined && existsSync(file));
const MISSING = 'no Chromium: apt-get install chromium to run the tests of pages';

/** The reason why pages can't be tested, or undefined. CI must have Chromium: .ci/run installs it. */
export function missingChromium(): string | undefined {
  if (PROGRAM !== undefined) return undefined;
  if (process.env['CI']) throw new Error(MISSING);
  console.warn(MISSING);
  return MISSING;
}

/** Starts Chromium without a window, or a program that starts it. The caller closes it. */
export async function launchChromium({ program = PROGRAM! }: { program?: string } = {}): Promise<Browser> {
  // Loaded only here, because quick runs skip the tests that need it.
  const { chromium } = await import('playwright-core');
  // Containers and root have no sandbox. It is not needed, because the tested pages are our own.
  return chromium.launch({ executablePath: program, args: ['--no-sandbox'] });
}

/** Serves a folder by the file server of Python, as the documents advise. */
export interface ServedFolder {
  readonly url: string;
  close(): void;
}

/** Serves a folder on a free port of this machine. */
export function serveFolder(folder: string): Promise<ServedFolder> {
  const options = ['-u', '-m', 'http.server', '--bind', '127.0.0.1', '--directory', folder, '0'];
  const server = spawn(PYTHON ?? 'python3', options, { stdio: ['ignore', 'pipe', 'ignore'] });
  return new Promise((resolve, reject) => {
    let said = '';
    server.once('error', reject);
    server.once('exit', () => reject(new Error(`the file server ended: ${said}`)));
    server.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const port = /port (\d+)/.exec(said)?.[1];
      if (port !== undefined) resolve({ url: `http://127.0.0.1:${port}/`, close: () => server.kill() });
    });
  });
}
