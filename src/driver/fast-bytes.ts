/**
 * Makes the protocol use Node's CRC-32 and search for zeros, which are many times faster than its own
 * functions. In a browser the protocol keeps its own functions.
 */
import { useFasterCrc32 } from '../../firmware-protocol/crc.js';
import { useFasterZeroSearch } from '../../firmware-protocol/find-zero.js';
import { nodeModule } from '../platform.js';

const zlib = nodeModule('node:zlib');
const indexOf = nodeModule('node:buffer')?.Buffer.prototype.indexOf;

if (zlib) useFasterCrc32(zlib.crc32);
if (indexOf) useFasterZeroSearch((bytes, start) => indexOf.call(bytes, 0, start));
