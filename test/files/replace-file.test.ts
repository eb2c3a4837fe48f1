import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { readVector } from '../../src/files/read-array.js';
import {
  appendWhole,
  replaceFile,
  replaceWith,
  type WritePart,
  writeWhole,
} from '../../src/files/replace-file.js';
import { writeArray } from '../../src/files/write-array.js';
import { temporaryDirectory } from '../cli/support/temporary-files.js';
import { thrown } from '../cli/support/thrown.js';

const root = temporaryDirectory();
let directory = '';
let folders = 0;
beforeEach(() => {
  directory = join(root, String(folders++));
  mkdirSync(directory);
});
const file = (name: string): string => join(directory, name);

/** A disk with room for this many bytes. It takes the bytes that fit; then it is full. */
function diskOf(room: number): WritePart {
  let left = room;
  return (descriptor, bytes, offset) => {
    const part = Math.min(left, bytes.length - offset);
    if (part === 0) throw Object.assign(new Error('no space left'), { code: 'ENOSPC', syscall: 'write' });
    left -= part;
    return writeSync(descriptor, bytes, offset, part);
  };
}

/** Runs `script` in a file system of its own with 64 KiB; undefined if this user may not make one. */
function onSmallDisk(script: string): string | undefined {
  const mount = `mount -t tmpfs -o size=64k none ${directory} && ${script}`;
  const result = spawnSync('unshare', ['-rm', 'sh', '-c', mount], { encoding: 'utf8' });
  return result.status === 0 ? result.stdout : undefined;
}
const mayMount = ((): boolean => {
  directory = root;
  return onSmallDisk('true') !== undefined;
})();

describe('writing', () => {
  it('continues after a partial write of the system', () => {
    const descriptor = openSync(file('x'), 'w');
    writeWhole(descriptor, 'äbcdef', (to, bytes, offset) => writeSync(to, bytes, offset, 1));
    expect(readFileSync(file('x'), 'utf8')).toBe('äbcdef');
  });

  it('fails if the system takes no bytes, and does not try for ever', () => {
    expect(() => writeWhole(1, 'x', () => 0)).toThrow(/no more bytes/);
  });
});

describe('appending', () => {
  it('on a full disk removes its partial text, and continues when there is room', () => {
    for (let room = 0; room < 6; room++) {
      writeFileSync(file('x'), 'first\n');
      const descriptor = openSync(file('x'), 'a');
      expect(() => appendWhole(descriptor, 'second\n', diskOf(room))).toThrow(/no space/);
      expect(readFileSync(file('x'), 'utf8')).toBe('first\n');
      appendWhole(descriptor, 'second\n', diskOf(7));
      expect(readFileSync(file('x'), 'utf8')).toBe('first\nsecond\n');
    }
  });
});

describe('replacing a file', () => {
  it.each([0, 1, 5, 9])('on a disk with room for %i of ten bytes leaves only the old file', (room) => {
    writeFileSync(file('x'), 'old');
    expect(() => replaceWith(file('x'), ['01234', '56789'], diskOf(room))).toThrow(/no space/);
    expect(readFileSync(file('x'), 'utf8')).toBe('old');
    expect(readdirSync(directory)).toEqual(['x']);
    expect(() => replaceWith(file('new'), ['01234', '56789'], diskOf(room))).toThrow(/no space/);
    expect(readdirSync(directory)).toEqual(['x']);
  });

  it('gives the new content, also after a process that was killed in between', () => {
    writeFileSync(file('x.partial'), 'left over, and longer than the new content');
    replaceWith(file('x'), ['a', Uint8Array.of(98), 'c'], diskOf(3));
    expect(readFileSync(file('x'), 'utf8')).toBe('abc');
    expect(readdirSync(directory)).toEqual(['x']);
  });

  it('keeps its permissions', () => {
    writeFileSync(file('x'), 'old');
    for (const mode of [0o600, 0o664, 0o440]) {
      chmodSync(file('x'), mode);
      replaceFile(file('x'), 'new');
      expect(statSync(file('x')).mode & 0o777).toBe(mode);
    }
  });

  it('follows links, even to a file that does not exist yet', () => {
    mkdirSync(file('store'));
    symlinkSync('store/x', file('first'));
    symlinkSync('first', file('second'));
    for (const content of ['a', 'b']) {
      replaceFile(file('second'), content);
      expect(readFileSync(file('store/x'), 'utf8')).toBe(content);
    }
    expect(lstatSync(file('first')).isSymbolicLink()).toBe(true);
    expect(readlinkSync(file('second'))).toBe('first');
    expect(readdirSync(file('store'))).toEqual(['x']);
  });

  it('refuses links that go in a circle', () => {
    symlinkSync('b', file('a'));
    symlinkSync('a', file('b'));
    expect(() => replaceFile(file('a'), 'x')).toThrow(expect.objectContaining({ code: 'BAD_FILE' }));
  });

  it.runIf(mayMount)('writes all pieces of a generator into a file that is a mount point', () => {
    const program = `
      const { replaceWith } = await import(${JSON.stringify(join(process.cwd(), 'dist/src/files/replace-file.js'))});
      function* pieces() { yield 'new '; yield 'content'; }
      replaceWith(process.argv[2], pieces());`;
    const script = join(root, 'mount-point.mjs');
    writeFileSync(script, program);
    const [store, x] = [file('store'), file('x')];
    const run = `echo old > ${store} && touch ${x} && mount --bind ${store} ${x} && ${process.execPath} ${script} ${x} && cat ${store}; echo; ls ${directory}`;
    expect(onSmallDisk(run)?.split('\n')).toEqual(['new content', 'store', 'x', '']);
  });

  it.runIf(existsSync('/dev/null'))('writes to a device and leaves it a device', () => {
    replaceFile('/dev/null', 'x');
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });
});

describe('an array', () => {
  it('that cannot be written leaves the old file, and is kept in another file', async () => {
    await writeArray(file('x.npy'), Float64Array.of(1, 2));
    // A folder with the name of the temporary file imitates any failure of the disk.
    mkdirSync(file('x.npy.partial'));
    const error = await thrown(() => writeArray(file('x.npy'), Float64Array.of(3)));
    expect(error.code).toBe('BAD_FILE');
    expect(await readVector(file('x.npy'))).toEqual(Float64Array.of(1, 2));
    const kept = /The result is in (\S+)\.$/.exec(error.hint!)![1];
    expect(await readVector(kept)).toEqual(Float64Array.of(3));
  });

  it.runIf(mayMount)('on a disk of 64 KiB that is full leaves the old file', () => {
    const program = `
      const { writeArray } = await import(${JSON.stringify(join(process.cwd(), 'dist/src/files/index.js'))});
      const path = process.argv[2] + '/x.npy';
      await writeArray(path, new Float64Array(16).fill(1));
      for (const name of [path, process.argv[2] + '/new.csv'])
        await writeArray(name, new Float64Array(1e5).fill(2)).catch((error) => console.log(error.code));`;
    const script = join(root, 'fill.mjs');
    writeFileSync(script, program);
    const run = `${process.execPath} ${script} ${directory}; ls ${directory}; wc -c < ${file('x.npy')}`;
    expect(onSmallDisk(run)?.trim().split(/\s+/)).toEqual(['BAD_FILE', 'BAD_FILE', 'x.npy', '256']);
  });
});
