import { spawn } from 'node:child_process';
import { defineCommand } from '../../command.js';
import { negation } from '../../options/option.js';
import { withInterrupt } from '../../output/interrupt.js';
import { SERVE_OPTIONS, serve } from '../serve/serve.js';

const FALLBACK = 'emulator:ideal-8';

export const command = defineCommand({
  options: { ...SERVE_OPTIONS, open: negation('--no-open', 'only print the address, do not open a browser') },
  example: `
Examples:
  thermolink console
  thermolink console --device serial:/dev/ttyACM0
  thermolink console --device lab1=tcp://127.0.0.1:7000 --listen 127.0.0.1:8100 --no-open

Without --device it serves ${FALLBACK}. The page shows the boards live. To drive a board, give its printed
address hub://… to --device in another terminal. The key Escape on the page stops the board that is shown.`,
  run: ({ open, devices = [FALLBACK], ...options }) =>
    withInterrupt((signal) => serve({ ...options, devices }, signal, open ? openPage : undefined)),
});

/** Opens an address in the browser of the desktop. Without a browser the user opens the printed address. */
function openPage(url: string): void {
  const { DISPLAY, WAYLAND_DISPLAY } = process.env;
  if (process.platform === 'linux' && !DISPLAY && !WAYLAND_DISPLAY) return;
  const [program, ...args] = OPENERS[process.platform] ?? ['xdg-open'];
  const opener = spawn(program, [...args, url], { stdio: 'ignore', detached: true });
  opener.on('error', () => undefined);
  opener.unref();
}

const OPENERS: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: ['open'],
  win32: ['explorer.exe'],
};
