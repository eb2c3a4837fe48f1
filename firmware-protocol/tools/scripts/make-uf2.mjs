/**
 * make-uf2.mjs IMAGE.bin OUT.uf2: writes an image for the flash of an RP2040 as a UF2 file, which the boot
 * loader accepts. The first 256 bytes are the second stage of the boot; their last word becomes their CRC-32
 * (datasheet 2.8.1.3.1: polynomial 04c11db7, most significant bit first, no inversion). The same image gives
 * the same bytes.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const FLASH_ADDRESS = 0x10000000;
/** Eight sectors keep a calibration, and the last two count power-ons. */
const IMAGE_BYTES_MAX = 2 * 1024 * 1024 - 10 * 4096;
const BOOT2_BYTES = 256;
const SRAM_BEGIN = 0x20000000;
const SRAM_END = 0x20042000;
const BLOCK_BYTES = 512;
const PAYLOAD_BYTES = 256;
const MAGIC_FIRST = 0x0a324655;
const MAGIC_SECOND = 0x9e5d5157;
const MAGIC_LAST = 0x0ab16f30;
const FLAG_FAMILY = 0x2000;
const FAMILY_RP2040 = 0xe48bff56;

function crcOfBoot2(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc = (crc ^ (byte << 24)) >>> 0;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x80000000 ? 0x04c11db7 : 0)) >>> 0;
  }
  return crc;
}

/** The reason why an RP2040 could not start this image, to follow its name; undefined if there is none. */
function problemOf(image) {
  if (image.length <= BOOT2_BYTES + 8) return `has ${image.length} bytes, which is no image`;
  if (image.length > IMAGE_BYTES_MAX) return `has ${image.length} bytes; ${IMAGE_BYTES_MAX} fit the flash`;
  if (image.subarray(0, BOOT2_BYTES).every((byte) => byte === 0))
    return 'begins without a second stage of the boot';
  if (image.readUInt32LE(BOOT2_BYTES - 4) !== 0)
    return 'has a second stage of the boot longer than 252 bytes';
  const [stack, entry] = [image.readUInt32LE(BOOT2_BYTES), image.readUInt32LE(BOOT2_BYTES + 4)];
  if (stack <= SRAM_BEGIN || stack > SRAM_END || stack % 4 !== 0)
    return `puts the stack at 0x${stack.toString(16)}`;
  if (entry % 2 !== 1 || entry < FLASH_ADDRESS || entry >= FLASH_ADDRESS + image.length)
    return `starts at 0x${entry.toString(16)}, outside itself`;
  return undefined;
}

function uf2Of(image) {
  const count = Math.ceil(image.length / PAYLOAD_BYTES);
  const out = Buffer.alloc(count * BLOCK_BYTES);
  for (let i = 0; i < count; i++) {
    const address = FLASH_ADDRESS + i * PAYLOAD_BYTES;
    const head = [MAGIC_FIRST, MAGIC_SECOND, FLAG_FAMILY, address, PAYLOAD_BYTES, i, count, FAMILY_RP2040];
    for (const [word, value] of head.entries()) out.writeUInt32LE(value, i * BLOCK_BYTES + 4 * word);
    image.copy(out, i * BLOCK_BYTES + 32, i * PAYLOAD_BYTES, Math.min((i + 1) * PAYLOAD_BYTES, image.length));
    out.writeUInt32LE(MAGIC_LAST, (i + 1) * BLOCK_BYTES - 4);
  }
  return out;
}

const [from, to] = process.argv.slice(2);
if (from === undefined || to === undefined) {
  console.error('usage: make-uf2.mjs IMAGE.bin OUT.uf2');
  process.exit(2);
}
const image = readFileSync(from);
const problem = problemOf(image);
if (problem !== undefined) {
  console.error(`${from} ${problem}`);
  process.exit(1);
}
image.writeUInt32LE(crcOfBoot2(image.subarray(0, BOOT2_BYTES - 4)), BOOT2_BYTES - 4);
writeFileSync(to, uf2Of(image));
console.log(`${path.normalize(to)}: image of ${image.length} bytes`);
