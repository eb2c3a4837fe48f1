import { ThermolinkError } from '../../../errors.js';
import { withInputFile } from '../../../files/input-file.js';
import { counted, formatCount } from '../../../number-text.js';

/** Bytes of a block, on the disk and in the file (UF2 specification, "File format"). */
export const UF2_BLOCK_BYTES = 512;
const MAGIC_START = [0x0a324655, 0x9e5d5157] as const;
const MAGIC_END = 0x0ab16f30;
/** The block is not part of the flash image. */
const FLAG_NOT_MAIN_FLASH = 0x0000_0001;
const FLAG_FAMILY_ID = 0x0000_2000;
/** The family id of the RP2040, which its boot ROM asks for (RP2040 datasheet, "UF2 Format Details"). */
const FAMILY_RP2040 = 0xe48bff56;
/** The boot ROM writes one flash page for each block. */
const PAGE_BYTES = 256;
/** The first address of the flash of the RP2040, and its largest size. */
const FLASH_START = 0x1000_0000;
const FLASH_BYTES_MAX = 16 * 2 ** 20;
/** A longer file is not an image of a flash of 16 MiB. */
const UF2_BYTES_MAX = (FLASH_BYTES_MAX / PAGE_BYTES) * UF2_BLOCK_BYTES;

/** The memory that a UF2 file programs. */
export interface Uf2Image {
  readonly blocks: number;
  /** Bytes of flash that are written. */
  readonly flashBytes: number;
  /** The address of the first page. */
  readonly firstAddress: number;
}

/** Reads a file and checks it as `checkUf2` does. Errors: BAD_FILE. */
export function readUf2(file: string): Promise<{ readonly bytes: Uint8Array; readonly image: Uf2Image }> {
  return withInputFile(file, async (input) => {
    const { sizeBytes } = input;
    if (sizeBytes > UF2_BYTES_MAX)
      throw badUf2(file, `it is longer than ${formatCount(UF2_BYTES_MAX)} bytes`);
    const bytes = new Uint8Array(sizeBytes);
    await input.read(bytes);
    return { bytes, image: checkUf2(file, bytes) };
  });
}

/**
 * Checks that a file is a whole UF2 image for the flash of an RP2040: magic numbers, family, a page for each
 * block, block numbers in order and complete, addresses in flash, ascending and on pages. Errors: BAD_FILE,
 * which names the first block that is wrong.
 */
function checkUf2(file: string, bytes: Uint8Array): Uf2Image {
  const blocks = bytes.length / UF2_BLOCK_BYTES;
  if (bytes.length === 0 || !Number.isInteger(blocks))
    throw badUf2(
      file,
      `it has ${counted(bytes.length, 'byte')}; a UF2 file has whole blocks of ${UF2_BLOCK_BYTES}`,
    );
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let nextAddress = FLASH_START;
  for (let block = 0; block < blocks; block++) {
    const at = (word: number): number => view.getUint32(block * UF2_BLOCK_BYTES + 4 * word, true);
    const wrong = faultOf(at, block, blocks, nextAddress);
    if (wrong !== undefined) throw badUf2(file, `block ${block}: ${wrong}`);
    nextAddress = at(3) + PAGE_BYTES;
  }
  return { blocks, flashBytes: blocks * PAGE_BYTES, firstAddress: view.getUint32(12, true) };
}

/** Returns what is wrong with a block, or undefined for a good one. `at(i)` is word i of the block. */
function faultOf(
  at: (word: number) => number,
  block: number,
  blocks: number,
  addressMin: number,
): string | undefined {
  const hex = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`;
  if (at(0) !== MAGIC_START[0] || at(1) !== MAGIC_START[1] || at(UF2_BLOCK_BYTES / 4 - 1) !== MAGIC_END)
    return 'it does not have the magic numbers of UF2';
  const [flags, address, size, number, total, family] = [2, 3, 4, 5, 6, 7].map(at);
  if ((flags & FLAG_NOT_MAIN_FLASH) !== 0) return 'it is not meant for the main flash';
  if ((flags & FLAG_FAMILY_ID) === 0) return 'it does not name a family of chips';
  if (family !== FAMILY_RP2040)
    return `its family is ${hex(family)}; the family of the RP2040 is ${hex(FAMILY_RP2040)}`;
  if (total !== blocks) return `it says that there are ${total} blocks; the file has ${blocks}`;
  if (number !== block) return `it has the number ${number}`;
  if (size !== PAGE_BYTES) return `it carries ${counted(size, 'byte')}; the RP2040 takes ${PAGE_BYTES}`;
  if (address % PAGE_BYTES !== 0) return `its address ${hex(address)} is not the start of a page`;
  if (address < FLASH_START || address > FLASH_START + FLASH_BYTES_MAX - PAGE_BYTES)
    return `its address ${hex(address)} is outside the flash`;
  if (address < addressMin) return `its address ${hex(address)} is repeated or out of order`;
  return undefined;
}

function badUf2(file: string, why: string): ThermolinkError {
  return new ThermolinkError('BAD_FILE', `${file} is no firmware for an RP2040: ${why}.`, {
    hint: 'Nothing was written. Fetch or build the file again, for the chip of your board.',
    data: { file },
  });
}
