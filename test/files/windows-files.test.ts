import { describe, expect, it } from 'vitest';
import { parseDeviceUri } from '../../src/connect.js';
import { renameRetried } from '../../src/files/replace-file.js';
import { isDeviceName } from '../../src/files/write-array.js';

/** A system whose rename is refused `refusals` times. */
function system(platform: NodeJS.Platform, refusals: number, code: string) {
  const log = { tries: 0, waitedMs: 0 };
  return {
    log,
    platform,
    rename: () => {
      if (log.tries++ < refusals) throw Object.assign(new Error(code), { code, syscall: 'rename' });
    },
    wait: (ms: number) => void (log.waitedMs += ms),
  };
}

describe('a rename on Windows', () => {
  it.each(['EPERM', 'EBUSY', 'EACCES'])('is tried again after %s, and succeeds', (code) => {
    const held = system('win32', 3, code);
    renameRetried('a', 'b', held);
    expect(held.log).toEqual({ tries: 4, waitedMs: 35 });
  });

  it('ends with an error after half a second', () => {
    const held = system('win32', Infinity, 'EBUSY');
    expect(() => renameRetried('a', 'b', held)).toThrow('EBUSY');
    expect(held.log).toEqual({ tries: 8, waitedMs: 500 });
  });

  it.each<[NodeJS.Platform, string]>([
    ['win32', 'ENOSPC'],
    ['linux', 'EBUSY'],
    ['darwin', 'EPERM'],
  ])('%s, %s: is not tried again', (platform, code) => {
    const refused = system(platform, 1, code);
    expect(() => renameRetried('a', 'b', refused)).toThrow(code);
    expect(refused.log).toEqual({ tries: 1, waitedMs: 0 });
  });
});

describe('names of devices', () => {
  it.each(['NUL', 'nul.csv', 'C:\\data\\con.npy', 'x/Aux.tar.gz', 'COM3', 'lpt1 .txt'])(
    '%s is a name of a device',
    (path) => {
      expect(isDeviceName(path, 'win32')).toBe(true);
      expect(isDeviceName(path, 'linux')).toBe(false);
    },
  );
  it.each(['nulls.csv', 'con\\x.csv', 'com10.csv', 'C:\\aux\\x.npy'])(
    '%s is not a name of a device',
    (path) => {
      expect(isDeviceName(path, 'win32')).toBe(false);
    },
  );
});

describe('device URIs of Windows and macOS', () => {
  it.each([
    ['serial:COM3', 'COM3'],
    ['serial:com12', 'COM12'],
    ['serial:\\\\.\\COM12', 'COM12'],
    ['serial:/dev/cu.usbmodem1101', '/dev/cu.usbmodem1101'],
  ])('%s is %s', (uri, path) => {
    const address = parseDeviceUri(uri);
    expect(address).toMatchObject({ kind: 'serial' });
    expect('path' in address && address.path.toUpperCase()).toBe(path.toUpperCase());
  });

  it('the path of a file may have a drive letter and backslashes', () => {
    expect(parseDeviceUri('emulator:file=C:\\boards\\mine.json?die=3')).toMatchObject({
      profile: { file: 'C:\\boards\\mine.json' },
      dieSeed: 3,
    });
    expect(JSON.stringify(parseDeviceUri('replay:C:\\a b\\session.mcap'))).toContain(
      JSON.stringify('C:\\a b\\session.mcap'),
    );
  });
});
