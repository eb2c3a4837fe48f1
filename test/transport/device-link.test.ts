import { lstatSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeDeviceLink, removeDeviceLink } from '../../src/transport/device-link.js';
import { temporaryDirectory } from '../cli/support/temporary-files.js';

const directory = temporaryDirectory();
const at = (name: string): string => path.join(directory, name);
/** Paths of pseudo-terminals that no test machine has. */
const GONE = '/dev/pts/987654321';
const OURS = '/dev/pts/987654322';

describe('the link to a pseudo-terminal', () => {
  it('is made, and removed', () => {
    makeDeviceLink(at('new'), OURS);
    expect(readlinkSync(at('new'))).toBe(OURS);
    removeDeviceLink(at('new'), OURS);
    expect(lstatSync(at('new'), { throwIfNoEntry: false })).toBeUndefined();
  });

  it.each([
    ['a terminal that is gone', GONE],
    ['the terminal that is ours now', OURS],
  ])('replaces an old link to %s', (_, target) => {
    const link = at(`stale${target.slice(-1)}`);
    symlinkSync(target, link);
    makeDeviceLink(link, OURS);
    expect(readlinkSync(link)).toBe(OURS);
  });

  it('never replaces another file', () => {
    writeFileSync(at('file'), 'precious');
    mkdirSync(at('folder'));
    symlinkSync(at('nowhere'), at('broken'));
    symlinkSync('/dev/null', at('alive'));
    for (const name of ['file', 'folder', 'broken', 'alive'])
      expect(() => makeDeviceLink(at(name), OURS)).toThrow(
        expect.objectContaining({ code: 'CANNOT_LISTEN', hint: expect.stringContaining('another name') }),
      );
    expect(readFileSync(at('file'), 'utf8')).toBe('precious');
    expect(readlinkSync(at('broken'))).toBe(at('nowhere'));
    expect(readlinkSync(at('alive'))).toBe('/dev/null');
  });

  it('reports an error when it can’t be written', () => {
    expect(() => makeDeviceLink(at('missing/link'), OURS)).toThrow(
      expect.objectContaining({ code: 'CANNOT_LISTEN' }),
    );
  });

  it('is not removed by a close if it leads to another target', () => {
    symlinkSync(GONE, at('taken'));
    removeDeviceLink(at('taken'), OURS);
    expect(readlinkSync(at('taken'))).toBe(GONE);
  });
});
