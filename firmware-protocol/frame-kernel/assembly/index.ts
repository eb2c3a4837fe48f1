export { stuff } from './cobs';
export { foldCrc } from './crc';
