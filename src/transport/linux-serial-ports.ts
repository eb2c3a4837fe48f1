import type { Stats } from 'node:fs';
import { access, constants, readdir, readFile, readlink, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import type { SerialListing, SerialRow } from './serial-row.js';

export interface LinuxListingOptions {
  /** The folder that holds sys, dev, proc and etc. Default `/`; tests give another one. */
  readonly root?: string;
  /** Whether this user may read and write a file. */
  readonly mayOpen?: (file: string) => Promise<boolean>;
}

/** Largest number of folders between a tty and its USB device in sysfs. */
const USB_DEPTH_MAX = 6;
/** The type in sysfs of a /dev/ttyS* without hardware. */
const NO_UART = '0';
const ROOT_GROUP = 'root';
const GROUP_MAY_OPEN = constants.S_IRGRP | constants.S_IWGRP;

/**
 * Lists the serial ports of a Linux machine from sysfs, with the product texts. The listing needs neither
 * udev nor a package, opens no port and never rejects. A port that vanishes meanwhile is skipped. Without
 * sysfs the list is empty.
 */
export async function listLinuxSerialPorts(options: LinuxListingOptions = {}): Promise<SerialListing> {
  const { root = '/', mayOpen = mayReadAndWrite } = options;
  const classPath = path.join(root, 'sys/class/tty');
  const [names, idLinks, placeLinks, groups, processes] = await Promise.all([
    entries(classPath),
    stableLinks(root, 'by-id'),
    stableLinks(root, 'by-path'),
    groupNames(root),
    readProcesses(root),
  ]);
  const rows = await Promise.all(
    names.sort(byNumber).map(async (name): Promise<SerialRow | undefined> => {
      const usb = await hardware(path.join(classPath, name));
      if (usb === undefined) return undefined;
      const file = path.join(root, 'dev', name);
      const status = await stat(file).catch(() => undefined);
      if (status === undefined) return undefined;
      const holders = processes.holders(`/dev/${name}`, lockKey(status));
      return {
        path: `/dev/${name}`,
        ...usb,
        stablePath: idLinks.get(name),
        placePath: placeLinks.get(name),
        access: (await mayOpen(file)) ? 'allowed' : 'denied',
        group: groupOf(status, groups),
        holders,
      };
    }),
  );
  return {
    platform: 'linux',
    rows: rows.filter((row) => row !== undefined),
    hasModemManager: processes.hasModemManager,
  };
}

/**
 * The USB texts of a tty. The object is empty for another bus. Undefined for a console and for a port without
 * hardware.
 */
async function hardware(folder: string): Promise<Partial<SerialRow> | undefined> {
  const device = await realpath(path.join(folder, 'device')).catch(() => undefined);
  if (device === undefined || (await text(path.join(folder, 'type'))) === NO_UART) return undefined;
  let place = device;
  for (let depth = 0; depth < USB_DEPTH_MAX; depth++, place = path.dirname(place)) {
    const vendorId = await text(path.join(place, 'idVendor'));
    if (vendorId === undefined) continue;
    const [productId, serialNumber, manufacturer, product] = await Promise.all(
      ['idProduct', 'serial', 'manufacturer', 'product'].map((name) => text(path.join(place, name))),
    );
    return { vendorId, productId, serialNumber, manufacturer, product };
  }
  return {};
}

/**
 * The group whose members may open a port, by name. Undefined if only root may open it, or if its permissions
 * can't be read.
 */
export async function groupOfPort(
  file: string,
  { root = '/' }: LinuxListingOptions = {},
): Promise<string | undefined> {
  const [status, groups] = await Promise.all([
    stat(path.join(root, file)).catch(() => undefined),
    groupNames(root),
  ]);
  return status && groupOf(status, groups);
}

function groupOf({ mode, gid }: Stats, groups: ReadonlyMap<number, string>): string | undefined {
  const mayOpen = (mode & GROUP_MAY_OPEN) === GROUP_MAY_OPEN;
  const name = mayOpen ? groups.get(gid) : undefined;
  // Joining the group of root must not be recommended.
  return name === ROOT_GROUP ? undefined : name;
}

/** Maps the name of a tty to its link from udev in a folder of /dev/serial. */
async function stableLinks(root: string, kind: 'by-id' | 'by-path'): Promise<Map<string, string>> {
  const folder = path.join(root, 'dev/serial', kind);
  const links = new Map<string, string>();
  // A tty may have two links in one folder. Sorting makes the choice the same each time.
  for (const name of (await entries(folder)).sort()) {
    const target = await readlink(path.join(folder, name)).catch(() => undefined);
    if (target === undefined || links.has(path.basename(target))) continue;
    links.set(path.basename(target), `/dev/serial/${kind}/${name}`);
  }
  return links;
}

async function groupNames(root: string): Promise<Map<number, string>> {
  const lines = ((await text(path.join(root, 'etc/group'))) ?? '').split('\n');
  return new Map(lines.map((line) => line.split(':')).map(([name, , id]) => [Number(id), name]));
}

interface Processes {
  readonly hasModemManager: boolean;
  holders(device: string, lock: string): readonly string[];
}

/**
 * Finds the programs that hold each device. It reads the open files of the processes of this user (for root:
 * of all users), and the locks of all processes. A program of another user is found only if it takes a lock.
 */
async function readProcesses(root: string): Promise<Processes> {
  const proc = path.join(root, 'proc');
  const names = new Map<string, string>();
  const openers = new Map<string, Set<string>>();
  await Promise.all(
    (await entries(proc))
      .filter((id) => /^\d+$/.test(id))
      .map(async (id) => {
        names.set(id, (await text(path.join(proc, id, 'comm'))) ?? 'a process');
        for (const file of await entries(path.join(proc, id, 'fd'))) {
          const target = await readlink(path.join(proc, id, 'fd', file)).catch(() => '');
          if (!target.startsWith('/dev/tty')) continue;
          if (!openers.has(target)) openers.set(target, new Set());
          openers.get(target)!.add(id);
        }
      }),
  );
  const lockers = lockHolders((await text(path.join(proc, 'locks'))) ?? '');
  return {
    hasModemManager: [...names.values()].includes('ModemManager'),
    holders: (device, lock) =>
      [...new Set([...(openers.get(device) ?? []), ...(lockers.get(lock) ?? [])])]
        .filter((id) => id !== String(process.pid))
        .map((id) => `${names.get(id) ?? 'a process'} (pid ${id})`),
  };
}

/**
 * Reads lines such as `1: FLOCK  ADVISORY  WRITE 4242 00:06:92 0 EOF`: the process, then the key of the file.
 */
function lockHolders(table: string): Map<string, string[]> {
  const holders = new Map<string, string[]>();
  for (const [, id, key] of table.matchAll(/^\d+: +\S+ +\S+ +\S+ +(\d+) ([\da-f]+:[\da-f]+:\d+) /gm))
    holders.set(key, [...(holders.get(key) ?? []), id]);
  return holders;
}

/**
 * The name of a file in /proc/locks: major and minor number of its file system in hexadecimal, then its
 * inode.
 */
function lockKey({ dev, ino }: Stats): string {
  const major = (dev >>> 8) & 0xfff;
  const minor = (dev & 0xff) | ((dev >>> 12) & 0xfff00);
  return `${hex(major)}:${hex(minor)}:${ino}`;
}

function hex(number: number): string {
  return number.toString(16).padStart(2, '0');
}

async function entries(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

/** Reads a short text file and trims it. Undefined if it is missing or empty. */
async function text(file: string): Promise<string | undefined> {
  const content = await readFile(file, 'utf8').catch(() => '');
  return content.trim() || undefined;
}

function mayReadAndWrite(file: string): Promise<boolean> {
  return access(file, constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );
}

function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
