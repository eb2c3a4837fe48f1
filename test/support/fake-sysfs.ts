import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';

export interface FakeTty {
  readonly name: string;
  /** Folders below /sys/devices. The last one is the hardware of the tty itself. */
  readonly device?: string;
  /** USB texts by file name, put into the folder `usbFolder` below /sys/devices. */
  readonly usb?: Readonly<Record<string, string>>;
  readonly usbFolder?: string;
  /** The kind of hardware that an 8250 driver names; 0 stands for no hardware. */
  readonly type?: string;
  /** Link name in /dev/serial/by-id. */
  readonly link?: string;
  /** Link names in /dev/serial/by-path. */
  readonly placeLinks?: readonly string[];
  readonly mode?: number;
}

export interface FakeProcess {
  readonly id: number;
  readonly comm: string;
  readonly opens?: readonly string[];
  /** Names of the ttys that the process has locked. Its open files cannot be seen. */
  readonly locks?: readonly string[];
}

/** A folder that looks like the root of a Linux machine with these serial ports and processes. */
export function fakeSysfs(
  ttys: readonly FakeTty[],
  processes: readonly FakeProcess[] = [],
  group = 'dialout',
): string {
  const root = mkdtempSync(path.join(tmpdir(), 'thermolink-sysfs-'));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  const write = (file: string, content: string): void => {
    mkdirSync(path.join(root, path.dirname(file)), { recursive: true });
    writeFileSync(path.join(root, file), content);
  };
  const link = (file: string, target: string): void => {
    mkdirSync(path.join(root, path.dirname(file)), { recursive: true });
    symlinkSync(target, path.join(root, file));
  };
  const gid = statSync(root).gid;
  write('etc/group', `other:x:${gid + 1}:\n${group}:x:${gid}:ada\n`);
  for (const {
    name,
    device,
    usb = {},
    usbFolder,
    type,
    link: linkName,
    placeLinks = [],
    mode = 0o660,
  } of ttys) {
    const folder = device === undefined ? `devices/virtual/tty/${name}` : `devices/${device}/tty/${name}`;
    write(`sys/${folder}/dev`, '188:0\n');
    link(`sys/class/tty/${name}`, `../../${folder}`);
    if (device !== undefined) link(`sys/${folder}/device`, path.relative(folder, `devices/${device}`));
    if (type !== undefined) write(`sys/${folder}/type`, `${type}\n`);
    for (const [file, content] of Object.entries(usb))
      write(`sys/devices/${usbFolder}/${file}`, `${content}\n`);
    write(`dev/${name}`, '');
    chmodSync(path.join(root, 'dev', name), mode);
    if (linkName !== undefined) link(`dev/serial/by-id/${linkName}`, `../../${name}`);
    for (const placeLink of placeLinks) link(`dev/serial/by-path/${placeLink}`, `../../${name}`);
  }
  const locks: string[] = [];
  for (const { id, comm, opens = [], locks: locked = [] } of processes) {
    write(`proc/${id}/comm`, `${comm}\n`);
    for (const [i, file] of opens.entries()) link(`proc/${id}/fd/${i}`, file);
    for (const name of locked) {
      const { dev, ino } = statSync(path.join(root, 'dev', name), { bigint: true });
      const hex = (number: bigint): string => number.toString(16).padStart(2, '0');
      // The numbers of a device as the kernel packs them into 32 bits.
      const key = `${hex((dev >> 8n) & 0xfffn)}:${hex((dev & 0xffn) | ((dev >> 12n) & 0xfff00n))}:${ino}`;
      locks.push(`${locks.length + 1}: FLOCK  ADVISORY  WRITE ${id} ${key} 0 EOF`);
    }
  }
  write('proc/locks', `${locks.join('\n')}\n`);
  return root;
}
