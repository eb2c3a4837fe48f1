export { stuff, unstuff } from './cobs';
export { foldCrc32, foldCrc32c } from './crc';
