/**
 * `npm run firmware:mutants`: builds the firmware of the Pico with one deliberate bug after another, and
 * fails when a check misses one. `-- --only TEXT` takes only the bugs with TEXT in their name, or with TEXT
 * as the name of their check.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { FOLDER } from '../reference-firmware/build.js';
import { checkBootLoader, checkCount, checkUart, checkUsb, checkWatchdog } from './check-firmware.js';
import { checkRecord } from './check-record.js';
import { MCU, makeMcu, readUf2File } from './firmware.js';
import { type CheckName, FIRMWARE_MUTANTS, type FirmwareMutant } from './mutant-table.js';
import { readUf2 } from './pico-chip.js';

const CHECKS: Record<CheckName, (image: Uint8Array) => Promise<string[]> | string[]> = {
  usb: checkUsb,
  uart: checkUart,
  watchdog: checkWatchdog,
  bootLoader: checkBootLoader,
  count: checkCount,
  record: checkRecord,
};

const target = (check: CheckName): string => (check === 'uart' ? 'pico-uart' : 'pico');

/** The findings of the check for an image. A firmware that stops the chip is also found. */
async function findings(check: CheckName, image: Uint8Array): Promise<string[]> {
  try {
    return await CHECKS[check](image);
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

/**
 * Builds a copy of mcu/ with the bug. The other folders that it needs are links. The portable part is built
 * once.
 */
function buildMutant({ file, from, to, check, name }: FirmwareMutant): Uint8Array {
  const root = mkdtempSync(path.join(tmpdir(), 'thermolink-mutant-'));
  try {
    const firmware = path.join(root, 'reference-firmware');
    const mcu = path.join(firmware, 'mcu');
    cpSync(MCU, mcu, {
      recursive: true,
      preserveTimestamps: true,
      filter: (source) => !/\/out(-|$|\/)/.test(source),
    });
    for (const part of ['src', 'generated']) symlinkSync(path.join(FOLDER, part), path.join(firmware, part));
    symlinkSync(path.join(FOLDER, '../tools'), path.join(root, 'tools'));
    const place = path.join(mcu, file);
    const text = readFileSync(place, 'utf8');
    if (text.split(from).length !== 2)
      throw new Error(`${name}: its text does not occur exactly once in ${file}`);
    writeFileSync(
      place,
      text.replace(from, () => to),
    );
    // Code that a bug leaves unused does not count as an error.
    const variables = [`CORE=${path.join(MCU, 'out')}`, 'WARNINGS=-w'];
    execFileSync('make', ['-s', target(check), ...variables], { cwd: mcu, stdio: 'pipe' });
    return readUf2(readUf2File(path.join(mcu, 'out'), `thermolink-${target(check)}.uf2`));
  } finally {
    rmSync(root, { recursive: true });
  }
}

const only = process.argv[process.argv.indexOf('--only') + 1];
const chosen = FIRMWARE_MUTANTS.filter(
  ({ name, check }) => !process.argv.includes('--only') || name.includes(only) || check === only,
);
for (const check of Object.keys(CHECKS) as CheckName[]) {
  const name = `thermolink-${target(check)}.uf2`;
  const found = await findings(check, readUf2(readUf2File(makeMcu(target(check)), name)));
  if (found.length === 0) continue;
  console.error(`The firmware itself fails the check ${check}: ${found.join('; ')}`);
  process.exit(1);
}
let missed = 0;
for (const mutant of chosen) {
  const found = await findings(mutant.check, buildMutant(mutant));
  if (found.length === 0) missed++;
  console.log(
    `${found.length === 0 ? 'MISSED' : 'found '}  ${mutant.name}${found.length > 0 ? `: ${found[0]}` : ''}`,
  );
}
console.log(`${chosen.length - missed} of ${chosen.length} deliberate bugs found`);
process.exitCode = missed === 0 ? 0 : 1;
