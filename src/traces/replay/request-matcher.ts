import { comparedFields, firstDifference, isRead } from '../compared-fields.js';
import type { TraceMessage } from '../trace-message.js';
import { type Mismatch, shownValue } from './mismatch.js';
import type { ReplayScript, ScriptRequest } from './script.js';

/**
 * How exactly a program must repeat the recorded requests. `strict`: the same requests in the same order.
 * `semantic`: commands that only read may be repeated or omitted. `lenient`: any order and number of
 * requests; the answer is that of the recorded request with the same content.
 */
export const REPLAY_MODES = ['strict', 'semantic', 'lenient'] as const;
/** One of `REPLAY_MODES`. */
export type ReplayMode = (typeof REPLAY_MODES)[number];

/** A request of the program. */
export type Asked = Pick<TraceMessage, 'kind' | 'name' | 'fields'>;

/** The result of matching a request. */
export type Match =
  | { readonly kind: 'recorded'; readonly request: ScriptRequest }
  /** A reply that was recorded for the same content, given again out of turn. */
  | { readonly kind: 'again'; readonly request: ScriptRequest }
  /** A request that is not part of the work: the device answers it by itself. */
  | { readonly kind: 'own' }
  | { readonly kind: 'mismatch'; readonly mismatch: Mismatch };

/** A timer sends pings, so they are never compared. */
const isOptional = (name: string, mode: ReplayMode): boolean =>
  name === 'ping' || (mode === 'semantic' && isRead(name));

/** Finds the recorded request that belongs to a request. */
export class RequestMatcher {
  readonly #requests: readonly ScriptRequest[];
  readonly #mode: ReplayMode;
  #next = 0;
  /** Recorded requests by content, for replies in another order. Made when it is first needed. */
  #byContent: Map<string, ScriptRequest[]> | undefined;
  readonly #used = new Set<ScriptRequest>();

  constructor({ requests }: ReplayScript, mode: ReplayMode) {
    this.#requests = requests;
    this.#mode = mode;
  }

  /** Number of recorded requests that were taken or skipped, in order. */
  get passed(): number {
    return this.#next;
  }

  /** Whether a recorded request was skipped. */
  isSkipped(request: ScriptRequest): boolean {
    return request.place < this.#next && !this.#used.has(request);
  }

  /** The recorded requests that the program still has to make. */
  get left(): readonly ScriptRequest[] {
    if (this.#mode === 'lenient') return [];
    return this.#requests.slice(this.#next).filter(({ message }) => !isOptional(message.name, this.#mode));
  }

  match(asked: Asked): Match {
    return this.#mode === 'lenient' ? this.#byItsContent(asked) : this.#inOrder(asked);
  }

  #inOrder(asked: Asked): Match {
    let place = this.#next;
    while (place < this.#requests.length) {
      const request = this.#requests[place];
      if (request.message.name === asked.name && !firstDifference(request.message, asked)) {
        this.#next = place + 1;
        this.#used.add(request);
        return { kind: 'recorded', request };
      }
      if (!isOptional(request.message.name, this.#mode)) break;
      place++;
    }
    if (asked.name === 'ping') return { kind: 'own' };
    const again = this.#mode === 'semantic' && isRead(asked.name) ? this.#sameContent(asked) : undefined;
    if (again) return { kind: 'again', request: again };
    return { kind: 'mismatch', mismatch: this.#mismatch(this.#requests.at(place), asked) };
  }

  #byItsContent(asked: Asked): Match {
    const same = this.#contents.get(contentKey(asked)) ?? [];
    const unused = same.find((request) => !this.#used.has(request));
    const request = unused ?? same.at(-1);
    if (request) {
      this.#used.add(request);
      return { kind: 'recorded', request };
    }
    if (asked.name === 'ping' || asked.name === 'stop' || asked.name === 'abort') return { kind: 'own' };
    const unlike = this.#requests.find(({ message }) => message.name === asked.name);
    return { kind: 'mismatch', mismatch: this.#mismatch(unlike, asked) };
  }

  /** The last taken request with the same content; if there is no such request, the next one. */
  #sameContent(asked: Asked): ScriptRequest | undefined {
    const same = (this.#contents.get(contentKey(asked)) ?? []).filter(({ reply }) => reply);
    return same.findLast(({ place }) => place < this.#next) ?? same[0];
  }

  get #contents(): Map<string, ScriptRequest[]> {
    if (!this.#byContent) {
      this.#byContent = new Map();
      for (const request of this.#requests) {
        if (!request.reply) continue;
        const key = contentKey(request.message);
        const same = this.#byContent.get(key);
        if (same) same.push(request);
        else this.#byContent.set(key, [request]);
      }
    }
    return this.#byContent;
  }

  #mismatch(expected: ScriptRequest | undefined, asked: Asked): Mismatch {
    const index = expected?.message.index ?? this.#requests.at(-1)?.message.index ?? 0;
    if (!expected || expected.message.name !== asked.name)
      return {
        index,
        command: asked.name,
        field: 'command',
        expected: expected?.message.name ?? 'nothing more',
        got: asked.name,
      };
    const { field, expected: before, got } = firstDifference(expected.message, asked)!;
    return {
      index,
      command: asked.name,
      field,
      expected: shownValue(asked, field, before),
      got: shownValue(asked, field, got),
    };
  }
}

/** A key that is equal for requests with the same content. */
function contentKey(asked: Asked): string {
  const values = comparedFields(asked).map((name) => {
    const value = asked.fields[name];
    return value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value;
  });
  return JSON.stringify([asked.name, ...values]);
}
