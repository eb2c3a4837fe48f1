import { ThermolinkError } from '../../errors.js';
import { MCAP_BEGIN, McapReader } from '../mcap-reader.js';
import { linkChunks } from '../open-trace.js';
import type { LinkChunk } from '../trace-message.js';

/** What was added to a recording since it was looked at last. */
export interface NewChunks {
  readonly chunks: readonly LinkChunk[];
  /** Whether the recorder has closed the file: nothing more will come. */
  readonly isClosed: boolean;
}

/**
 * Reads a recording while it is written. A recorder writes what passes within half a second, and within 50 ms
 * of every change of the board's state.
 */
export class TraceFollower {
  readonly #path: string;
  /** The first byte that was not read yet. */
  #at = MCAP_BEGIN;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * What was added since the last call; the first one gives what is there. A file that is missing holds
   * nothing yet. Errors: BAD_FILE for what is no recording, or one that became shorter.
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

  /** Reads whole records, since the recorder may be writing the last one. */
  #read(reader: McapReader): NewChunks {
    const from = this.#at;
    if (reader.size < from)
      throw new ThermolinkError('BAD_FILE', `${reader.path} became shorter while it was followed.`, {
        hint: 'Another recording has taken its place: follow it anew.',
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
