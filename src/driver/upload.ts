import type { Command } from '../../firmware-protocol/messages/index.js';
import { codeBytes, programDigest } from '../../firmware-protocol/program-digest.js';
import type { ProgramImage } from '../../firmware-protocol/program-image.js';
import type { Connection } from './connection.js';
import type { CallOptions, CommitReport } from './device-api.js';

/** Bytes of a write command beside its codes, at most. */
const WRITE_OVERHEAD_BYTES = 32;
/** Write commands issued ahead of their answers. */
const WRITES_AHEAD_MAX = 16;

type WriteName = 'writeCouplings' | 'writeDrive' | 'writeInitialState';

/** Uploads programs in chunks; `payloadBytes` counts the code bytes handed to the link. */
export class Uploader {
  payloadBytes = 0;
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async load(bank: number, image: ProgramImage, options: CallOptions): Promise<CommitReport> {
    await this.couplings(bank, image, options);
    return this.rewrite(bank, image, options);
  }

  /** The shape and the couplings alone; the bank is not committed. */
  async couplings(bank: number, image: ProgramImage, options: CallOptions): Promise<void> {
    const { mode, cells, rows, couplingBits, rowAttenuation } = image;
    await this.#connection.request(
      'defineProgram',
      { bank, mode, cells, rows, couplingBits, rowAttenuation },
      options,
    );
    await this.#write('writeCouplings', bank, image.couplings, options);
  }

  /** All but the couplings, then commit. */
  async rewrite(bank: number, image: ProgramImage, options: CallOptions): Promise<CommitReport> {
    await this.#write('writeDrive', bank, image.drive, options);
    await this.#write('writeInitialState', bank, image.initialState, options);
    const { damping, noiseAmplitude, noiseShift } = image;
    await this.#connection.request('setRegisters', { bank, damping, noiseAmplitude, noiseShift }, options);
    return this.#connection.request('commit', { bank, ...programDigest(image) }, options);
  }

  async #write(
    name: WriteName,
    bank: number,
    codes: Int8Array | Int16Array,
    options: CallOptions,
  ): Promise<void> {
    const width = codes.BYTES_PER_ELEMENT;
    const bytes = codeBytes(codes);
    const chunk = Math.floor((this.#connection.link.payloadBytesMax - WRITE_OVERHEAD_BYTES) / width) * width;
    const ahead: Promise<unknown>[] = [];
    try {
      for (let at = 0; at < bytes.length; at += chunk) {
        if (ahead.length >= WRITES_AHEAD_MAX) await ahead.shift();
        const part = bytes.subarray(at, at + chunk);
        const first = at / width;
        const fields =
          name === 'writeCouplings'
            ? { bank, firstEntry: first, codes: part }
            : { bank, firstCell: first, codes: part };
        ahead.push(this.#connection.request(name, fields as Command<WriteName>, options));
        this.payloadBytes += part.length;
      }
      await Promise.all(ahead);
    } finally {
      // The first failure is the one reported; the calls behind it fail for the same reason.
      for (const call of ahead) call.catch(() => undefined);
    }
  }
}
