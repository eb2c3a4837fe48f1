/**
 * Gives the protocol the CRC-32 and the search for zeros of Node, which are many times as fast as its own.
 */
import { Buffer } from 'node:buffer';
import { crc32 } from 'node:zlib';
import { useFasterCrc32 } from '../../firmware-protocol/crc.js';
import { useFasterZeroSearch } from '../../firmware-protocol/find-zero.js';

const { indexOf } = Buffer.prototype;

useFasterCrc32(crc32);
useFasterZeroSearch((bytes, start) => indexOf.call(bytes, 0, start));
