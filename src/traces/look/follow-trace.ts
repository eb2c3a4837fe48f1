import { ThermolinkError } from '../../errors.js';
import { MCAP_BEGIN, McapReader } from '../mcap-reader.js';
import { linkChunks } from '../open-trace.js';
import type { LinkChunk } from '../trace-message.js';

/** The part of a recording that was added since the last call. */
export interface NewChunks {
  readonly chunks: readonly LinkChunk[];
  /** Whether the recorder has closed the file. Nothing will be added then. */
  readonly isClosed: boolean;
}

/**
 * Reads a recording while it is written. The recorder writes bytes within half a second, and every change of
 * the state of the board within 50 ms.
 */
export class TraceFollower {
  readonly #path: string;
  /** Position of the first byte that was not read yet. */
  #at = MCAP_BEGIN;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Returns the part that was added since the last call; the first call returns the whole content. A missing
   * file counts as empty. Errors: BAD_FILE if the file is not a recording or became shorter.
   */
  poll(): NewChunks {
    const reader = openIfThere(this.#path);
    if (!reader) return { chunks: [], isClosed: false };
    try {
      return this.#read(reader);
    } finally {
      reader.close();
    }
  }

  /** Reads only whole records, because the recorder may be writing the last one. */
  #read(reader: McapReader): NewChunks {
    const from = this.#at;
    if (reader.size < from)
      throw new ThermolinkError('BAD_FILE', `${reader.path} became shorter while it was followed.`, {
        hint: 'Another recording has replaced it: start to follow it again.',
        data: { file: reader.path },
      });
    let isClosed = true;
    const isOpen = (): void => {
      isClosed = false;
    };
    for (const { offset, length } of reader.records(isOpen, from)) this.#at = offset + length;
    const chunks: LinkChunk[] = [];
    for (const chunk of linkChunks(reader.messages(undefined, from)))
      chunks.push({ ...chunk, bytes: chunk.bytes.slice() });
    return { chunks, isClosed };
  }
}

function openIfThere(path: string): McapReader | undefined {
  try {
    return new McapReader(path);
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw error;
  }
}
