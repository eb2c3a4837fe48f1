import { join, resolve } from 'node:path';
import { connect } from '../../../../connect.js';
import type { Device } from '../../../../driver/device.js';
import { replaceFile } from '../../../../files/replace-file.js';
import { makeDirectory } from '../../../../learning/training-files-lock.js';
import { encodedPath } from '../../../../transport/transport.js';

import type { StudyBoard } from './table-study.js';

/** A place in the lab. One board is open here at a time. It stays open until another board is asked for. */
export class LabPlace {
  /** The board of the study at this place. */
  readonly uri: string;
  readonly #signal: AbortSignal;
  /** The directory of the study. */
  readonly #directory: string;
  readonly #ownThread: boolean;
  #open: { readonly uri: string; readonly device: Device } | undefined;

  constructor(facts: {
    readonly signal: AbortSignal;
    readonly directory: string;
    readonly uri: string;
    /** Whether an emulated board computes in a thread of its own. */
    readonly ownThread: boolean;
  }) {
    this.#signal = facts.signal;
    this.#directory = facts.directory;
    this.uri = facts.uri;
    this.#ownThread = facts.ownThread;
  }

  async board(wanted?: string | StudyBoard): Promise<Device> {
    const uri = wanted === undefined ? this.uri : this.#uriOf(wanted);
    if (this.#open?.uri === uri) return this.#open.device;
    await this.close();
    const device = await connect(uri, { signal: this.#signal, ownThread: this.#ownThread });
    this.#open = { uri, device };
    return device;
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.device.close();
  }

  /**
   * Returns the address of a board. If the study gives a whole profile, the profile is stored in the
   * directory of the study. A run can then be repeated by hand.
   */
  #uriOf(wanted: string | StudyBoard): string {
    if (typeof wanted === 'string') return `emulator:${wanted}`;
    const { profile, die } = wanted;
    if (typeof profile === 'string') return `emulator:${profile}?die=${die}`;
    const folder = join(this.#directory, 'boards');
    const file = resolve(folder, `${profile.name}.json`);
    makeDirectory(folder);
    replaceFile(file, `${JSON.stringify(profile, null, 2)}\n`);
    return `emulator:file=${encodedPath(file)}?die=${die}`;
  }
}
