/**
 * Makes the protocol use Node's CRC-32 and search for bytes, which are many times faster than its own
 * functions. In a browser the protocol keeps its own functions.
 */
import { useFasterCrc32 } from '../../firmware-protocol/crc.js';
import { useFasterByteSearch } from '../../firmware-protocol/find-byte.js';
import { nodeModule } from '../platform.js';

const zlib = nodeModule('node:zlib');
const indexOf = nodeModule('node:buffer')?.Buffer.prototype.indexOf;

if (zlib) useFasterCrc32(zlib.crc32);
if (indexOf) useFasterByteSearch((bytes, byte, start) => indexOf.call(bytes, byte, start));
