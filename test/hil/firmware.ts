import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { FOLDER, lock } from '../reference-firmware/build.js';

/** The folder of the firmware for microcontrollers. */
export const MCU = path.join(FOLDER, 'mcu');

/** Builds a target of mcu/Makefile in a folder of its own and returns that folder. */
export function makeMcu(target: string, variables: readonly string[] = [], out = 'out'): string {
  const folder = path.resolve(MCU, out);
  mkdirSync(folder, { recursive: true });
  const unlock = lock(path.join(folder, 'lock'));
  try {
    execFileSync('make', ['-s', target, `OUT=${out}`, ...variables], { cwd: MCU, stdio: 'pipe' });
  } finally {
    unlock();
  }
  return folder;
}

export const readUf2File = (folder: string, name: string): Buffer => readFileSync(path.join(folder, name));
