/**
 * `npm run test:hil`: installs the compiler and the virtual machine that are missing, builds the firmware for
 * microcontrollers, and runs it in emulators. With `--install` it only installs. Arguments go to vitest.
 */
import { spawnSync } from 'node:child_process';
import process from 'node:process';

const PACKAGES = {
  'arm-none-eabi-gcc': ['gcc-arm-none-eabi', 'libnewlib-arm-none-eabi'],
  'qemu-system-arm': ['qemu-system-arm'],
  make: ['make'],
};

function run(command, args, environment = {}) {
  const { status, error } = spawnSync(command, args, {
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  });
  if (error) console.error(`${command}: ${error.message}`);
  return status ?? 1;
}

const isMissing = (program) => spawnSync(program, ['--version']).status !== 0;
const packages = Object.entries(PACKAGES)
  .filter(([program]) => isMissing(program))
  .flatMap(([, names]) => names);
if (packages.length > 0) {
  console.log(`Missing here: ${packages.join(', ')}. They are installed by apt-get, which needs root.`);
  const quiet = { DEBIAN_FRONTEND: 'noninteractive' };
  run('apt-get', ['update', '-q'], quiet);
  const failed = run('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...packages], quiet) !== 0;
  if (failed || Object.keys(PACKAGES).some(isMissing)) {
    console.error(`Install ${packages.join(' ')} (the names are those of Debian), then run this again.`);
    process.exit(1);
  }
}
const given = process.argv.slice(2);
if (given.includes('--install')) process.exit(0);
if (run('npx', ['tsc', '-b']) !== 0) process.exit(1);
// Test files run at the same time and find it built.
const targets = ['pico', 'pico-uart', 'pico-rc3', 'lm3s', 'digest-m0', 'digest-m3'];
if (run('make', ['-s', '-j2', '-C', 'firmware-protocol/reference-firmware/mcu', ...targets]) !== 0)
  process.exit(1);
const filter = given.some((one) => one.startsWith('--tags-filter')) ? [] : ['--tags-filter=!long'];
process.exit(run('npx', ['vitest', 'run', '--config', 'vitest.hil.config.ts', ...filter, ...given]));
