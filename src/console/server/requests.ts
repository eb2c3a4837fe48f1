import type { RecordingView, RefusalBody } from '../../hub/api.js';

const DEADLINE_MS = 10_000;
/** A trace may be large. */
const TRACE_DEADLINE_MS = 600_000;

/** The requests of the page to its server. Every method fails with an `Error` whose message is for people. */
export class ServerRequests {
  readonly #base: URL;
  readonly #token: () => string;

  constructor(base: URL, token: () => string) {
    this.#base = base;
    this.#token = token;
  }

  /** Stops a board; returns the state in which it is then. */
  async stop(board: string): Promise<string> {
    const answer = await this.#send('POST', board, 'stop');
    return ((await answer.json()) as { readonly state: string }).state;
  }

  async record(board: string, on: boolean): Promise<RecordingView> {
    return (await (await this.#send('POST', board, 'recording', { on })).json()) as RecordingView;
  }

  /**
   * The recording that ended last. The token has to be sent as a header, so the page itself fetches the file.
   */
  async trace(board: string): Promise<Blob> {
    return (await this.#send('GET', board, 'trace', undefined, TRACE_DEADLINE_MS)).blob();
  }

  async #send(
    method: 'GET' | 'POST',
    board: string,
    what: string,
    body?: object,
    deadlineMs = DEADLINE_MS,
  ): Promise<Response> {
    const token = this.#token();
    const url = new URL(`api/boards/${encodeURIComponent(board)}/${what}`, this.#base);
    const answer = await fetch(url, {
      method,
      headers: {
        ...(token === '' ? {} : { Authorization: `Bearer ${token}` }),
        ...(body ? { 'Content-Type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
      signal: AbortSignal.timeout(deadlineMs),
    }).catch(() => {
      throw new Error('The server does not answer.');
    });
    if (!answer.ok) throw new Error(await refusalText(answer));
    return answer;
  }
}

async function refusalText(answer: Response): Promise<string> {
  try {
    const { message, remedy } = (await answer.json()) as RefusalBody;
    return `${message} ${remedy}`;
  } catch {
    return `The server answered with status ${answer.status}.`;
  }
}
