import { access, constants, type FileHandle, open, readdir, readFile, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { ThermolinkError, throwIfAborted } from '../../../errors.js';
import { formatBytes } from '../../../number-text.js';
import { UF2_BLOCK_BYTES } from './uf2.js';

/** The boot ROM describes itself in this file (RP2040 datasheet, "USB Mass Storage Interface"). */
export const INFO_FILE = 'INFO_UF2.TXT';
/** A boot ROM of this name belongs to a chip that takes images of the RP2040. */
const BOARD_ID = /^Board-ID:\s*RPI-RP2\s*$/im;
/** The name of the file on the volume. The boot ROM looks at the blocks, not at the name. */
const WRITTEN_NAME = 'thermolink.uf2';
const INFO_BYTES_MAX = 4096;
const PIECE_BYTES = 128 * UF2_BLOCK_BYTES;
/** Error codes of the system for a volume that was removed. */
const GONE: ReadonlySet<string> = new Set(['EIO', 'ENODEV', 'ENOENT', 'ENXIO', 'ENOTCONN']);
const READ_ONLY: ReadonlySet<string> = new Set(['EROFS', 'EACCES', 'EPERM']);

/**
 * The description that the boot ROM gives of itself; undefined for a folder that is not a volume of an
 * RP2040.
 */
export async function readBootInfo(volume: string): Promise<string | undefined> {
  try {
    const text = (await readFile(join(volume, INFO_FILE))).subarray(0, INFO_BYTES_MAX).toString('latin1');
    return BOARD_ID.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

/** The mounted volumes of boot ROMs. Errors: none. A place that cannot be read does not count as a volume. */
export async function bootVolumes(platform: NodeJS.Platform = process.platform): Promise<string[]> {
  const places = await mountPoints(platform);
  const infos = await Promise.all(places.map(readBootInfo));
  return places.filter((_, i) => infos[i] !== undefined);
}

/** The folders in which volumes are mounted. */
async function mountPoints(platform: NodeJS.Platform): Promise<string[]> {
  if (platform === 'win32') return [...'DEFGHIJKLMNOPQRSTUVWXYZ'].map((letter) => `${letter}:\\`);
  try {
    if (platform === 'darwin') return (await readdir('/Volumes')).map((name) => join('/Volumes', name));
    const mounts = await readFile('/proc/self/mounts', 'utf8');
    return mounts
      .split('\n')
      .map((line) => line.split(' '))
      .filter(([, , type]) => /^(vfat|msdos|exfat|fuseblk)$/.test(type ?? ''))
      .map(([, place]) =>
        place.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
      );
  } catch {
    return [];
  }
}

/**
 * Checks that `volume` belongs to an RP2040 and has room for `bytes` bytes. Writes nothing. Errors: BAD_FILE.
 */
export async function checkVolume(volume: string, bytes: number): Promise<void> {
  if ((await readBootInfo(volume)) === undefined)
    throw new ThermolinkError(
      'BAD_FILE',
      `${volume} is no BOOTSEL volume: no ${INFO_FILE} that names RPI-RP2.`,
      {
        hint: `Hold BOOTSEL while you plug the board in. ${mountHint()}`,
        data: { volume },
      },
    );
  try {
    await access(volume, constants.W_OK);
    const { bsize, bavail } = await statfs(volume);
    if (bsize * bavail < bytes)
      throw new ThermolinkError(
        'BAD_FILE',
        `${volume} has ${formatBytes(bsize * bavail)} free; the firmware has ${formatBytes(bytes)}.`,
        { hint: 'Nothing was written. A BOOTSEL volume has 128 MB: is it this one?', data: { volume } },
      );
  } catch (error) {
    throw volumeError(volume, error);
  }
}

/** Advice for a system on which no volume is mounted. */
export function mountHint(platform: NodeJS.Platform = process.platform): string {
  if (platform !== 'linux') return 'The volume is called RPI-RP2.';
  return 'If it is not mounted automatically: `udisksctl mount -b /dev/disk/by-label/RPI-RP2`.';
}

/**
 * Writes an image and waits until the board has it. The boot ROM restarts the board after the last block, so
 * the volume may vanish while the system still writes its directory. Returns whether the volume has vanished.
 * Errors: BAD_FILE; ABORTED.
 */
export async function writeToVolume(
  volume: string,
  image: Uint8Array,
  { signal, onProgress }: { readonly signal: AbortSignal; readonly onProgress: (bytes: number) => void },
): Promise<boolean> {
  let written = 0;
  let file: FileHandle | undefined;
  try {
    file = await open(join(volume, WRITTEN_NAME), 'w');
    while (written < image.length) {
      throwIfAborted(signal);
      const piece = image.subarray(written, written + PIECE_BYTES);
      written += (await file.write(piece)).bytesWritten;
      onProgress(written);
    }
    await file.sync();
  } catch (error) {
    const hasGone = GONE.has(codeOf(error)) && (await readBootInfo(volume)) === undefined;
    if (written < image.length || !hasGone) throw volumeError(volume, error);
  } finally {
    await file?.close().catch(() => undefined);
  }
  return (await readBootInfo(volume)) === undefined;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function volumeError(volume: string, error: unknown): unknown {
  if (error instanceof ThermolinkError) return error;
  const code = codeOf(error);
  const [why, hint] = READ_ONLY.has(code)
    ? ['it is read-only for you', 'Mount it for writing, or run as a user who may write there.']
    : code === 'ENOSPC'
      ? ['it is full', 'Plug the board out and in with BOOTSEL held: the volume is then empty.']
      : ['the system reports an error', 'Plug the board out and in with BOOTSEL held, and flash again.'];
  return new ThermolinkError('BAD_FILE', `${volume} can't be written: ${why}.`, {
    cause: error,
    hint,
    data: { volume },
  });
}
