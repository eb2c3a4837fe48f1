import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bootVolumes } from '../../src/cli/commands/flash/bootsel-volume.js';
import { type FlashEnvironment, flashCommand, touchPort } from '../../src/cli/commands/flash/flash.js';
import { reportError } from '../../src/cli/output/report-error.js';
import { openPty } from '../../src/transport/pty.js';
import { captureOutput, runCommand } from '../support/command-line.js';
import { temporaryDirectory } from './support/temporary-files.js';

const directory = temporaryDirectory();
const INFO = 'UF2 Bootloader v3.0\nModel: Raspberry Pi RP2\nBoard-ID: RPI-RP2\n';
let made = 0;

/** A folder that looks like a BOOTSEL volume. */
function volume(info = INFO): string {
  const place = join(directory, `volume-${made++}`);
  mkdirSync(place);
  if (info !== '') writeFileSync(join(place, 'INFO_UF2.TXT'), info);
  return place;
}

/** A UF2 image of some pages; `change` edits the words of each block. */
function image(pages = 3, change: (words: Uint32Array, block: number) => void = () => undefined): Uint8Array {
  const words = new Uint32Array(pages * 128);
  for (let block = 0; block < pages; block++) {
    const of = words.subarray(128 * block, 128 * (block + 1));
    of.set([0x0a324655, 0x9e5d5157, 0x2000, 0x1000_0000 + 256 * block, 256, block, pages, 0xe48bff56]);
    of.fill(0xa5a5_0000 + block, 8, 72);
    of[127] = 0x0ab16f30;
    change(of, block);
  }
  return new Uint8Array(words.buffer);
}

function firmware(bytes: Uint8Array = image()): string {
  const file = join(directory, `firmware-${made++}.uf2`);
  writeFileSync(file, bytes);
  return file;
}

async function flash(environment: Partial<FlashEnvironment>, ...args: string[]) {
  const none: FlashEnvironment = { volumes: async () => [], touch: async () => undefined };
  const program = new Command('flash').exitOverride();
  flashCommand({ ...none, ...environment }).describe(program);
  const { result: exitCode, ...printed } = await captureOutput(async () => {
    try {
      await program.parseAsync([...args, '--json'], { from: 'user' });
      return 0;
    } catch (error) {
      return reportError(error, { json: true });
    }
  });
  return { exitCode, ...JSON.parse(printed.stdout) };
}

describe('thermolink flash', () => {
  it('writes the file to the volume, byte by byte', async () => {
    const place = volume();
    const report = await flash({}, firmware(), '--volume', place);
    expect(report).toMatchObject({
      exitCode: 0,
      volume: place,
      blocks: 3,
      flashBytes: 768,
      restarted: false,
    });
    expect(new Uint8Array(readFileSync(join(place, 'thermolink.uf2')))).toEqual(image());
  });

  it('takes the only mounted volume, and asks for a choice if there are several', async () => {
    const [one, other] = [volume(), volume()];
    expect(await flash({ volumes: async () => [one] }, firmware())).toMatchObject({ volume: one });
    const asked = await flash({ volumes: async () => [one, other] }, firmware());
    expect(asked.error).toMatchObject({ code: 'BAD_FILE', hint: expect.stringContaining('--volume') });
    const none = await flash({}, firmware());
    expect(none.error).toMatchObject({ code: 'BAD_FILE', hint: expect.stringContaining('Hold BOOTSEL') });
  });

  it('asks a running board for its volume, and writes to the volume when it appears', async () => {
    const [old, appeared] = [volume(), volume()];
    const touched: object[] = [];
    const volumes = async () => (touched.length > 0 ? [old, appeared] : [old]);
    const touch = async (address: object) => void touched.push(address);
    const report = await flash({ volumes, touch }, firmware(), '--device', 'serial:/dev/ttyACM7');
    expect(report).toMatchObject({ exitCode: 0, volume: appeared });
    expect(touched).toEqual([{ kind: 'serial', path: '/dev/ttyACM7' }]);
  });

  it('ends in NO_ANSWER if the volume does not appear', async () => {
    const report = await flash({}, firmware(), '--device', 'serial:/dev/ttyACM7', '--wait', '0.01');
    expect(report).toMatchObject({ exitCode: 1, error: { code: 'NO_ANSWER', retryable: true } });
  });

  it.each([
    ['a cut file', image().subarray(0, 1000), /whole blocks/],
    ['another magic number', image(3, (words, block) => block === 1 && (words[0] ^= 1)), /block 1: .*magic/],
    [
      'a block without its end',
      image(3, (words, block) => block === 2 && (words[127] = 0)),
      /block 2: .*magic/,
    ],
    ['an image for an RP2350', image(2, (words) => (words[7] = 0xe48bff59)), /family is 0xe48bff59/],
    ['an image without a family', image(2, (words) => (words[2] = 0)), /does not name a family/],
    ['an image that is not for flash', image(2, (words) => (words[2] = 0x2001)), /main flash/],
    ['a block that is missing', image(3).subarray(0, 1024), /3 blocks; the file has 2/],
    ['blocks out of order', image(3, (words, block) => (words[5] = 2 - block)), /block 0: .*number 2/],
    ['an address in RAM', image(1, (words) => (words[3] = 0x2000_0000)), /outside the flash/],
    ['an address after the flash', image(1, (words) => (words[3] = 0x1100_0000)), /outside the flash/],
    ['half a page', image(1, (words) => (words[3] = 0x1000_0080)), /start of a page/],
    ['an image with a page twice', image(2, (words) => (words[3] = 0x1000_0000)), /is repeated/],
    ['a short page', image(1, (words) => (words[4] = 128)), /128 bytes/],
  ])('%s is refused before a byte is written', async (_, bytes, message) => {
    const place = volume();
    const report = await flash({}, firmware(bytes), '--volume', place);
    expect(report.error).toMatchObject({ code: 'BAD_FILE', message: expect.stringMatching(message) });
    expect(() => readFileSync(join(place, 'thermolink.uf2'))).toThrow('ENOENT');
  });

  it.each([
    ['a folder that is no volume', ''],
    ['the volume of an RP2350', INFO.replace('RPI-RP2', 'RP2350')],
  ])('%s is refused', async (_, info) => {
    const report = await flash({}, firmware(), '--volume', volume(info));
    expect(report.error).toMatchObject({
      code: 'BAD_FILE',
      message: expect.stringContaining('no BOOTSEL volume'),
    });
  });

  it.skipIf(process.getuid?.() === 0)('a read-only volume is refused', async () => {
    const place = volume();
    chmodSync(place, 0o555);
    onTestFinished(() => chmodSync(place, 0o755));
    const report = await flash({}, firmware(), '--volume', place);
    expect(report.error).toMatchObject({ code: 'BAD_FILE', message: expect.stringContaining('read-only') });
  });

  it('a board over TCP, --device together with --volume, and a missing file are refused', async () => {
    const elsewhere = await flash({}, firmware(), '--device', 'tcp://127.0.0.1:1');
    expect(elsewhere).toMatchObject({ exitCode: 2, error: { code: 'BAD_ARGUMENT' } });
    const both = await flash({}, firmware(), '--device', 'serial:/dev/ttyACM7', '--volume', volume());
    expect(both).toMatchObject({ exitCode: 2, error: { code: 'BAD_ARGUMENT' } });
    expect(await flash({}, join(directory, 'nothing.uf2'))).toMatchObject({ error: { code: 'BAD_FILE' } });
  });

  it('a volume that vanishes with its last block counts as written', async () => {
    const place = volume();
    const { writeToVolume } = await import('../../src/cli/commands/flash/bootsel-volume.js');
    const gone = await writeToVolume(place, image(), {
      signal: new AbortController().signal,
      onProgress: (bytes) => bytes === image().length && rmSync(place, { recursive: true }),
    });
    expect(gone).toBe(true);
  });

  it('--help has an example, and the volumes of this machine can be listed', async () => {
    expect((await runCommand('flash', '--help')).stdout).toMatch(/Example:\n {2}thermolink flash/);
    expect(await bootVolumes()).toEqual(expect.any(Array));
  });

  it.runIf(process.platform === 'linux')(
    'the request for the volume opens the port at 1200 baud',
    async () => {
      const pty = await openPty();
      onTestFinished(() => pty.close());
      await touchPort({ kind: 'serial', path: pty.path }, new AbortController().signal);
      expect(execFileSync('stty', ['-F', pty.path, 'speed'], { encoding: 'utf8' }).trim()).toBe('1200');
    },
  );
});
