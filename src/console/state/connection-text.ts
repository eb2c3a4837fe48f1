/** How the page stands to its server. */
export type ConnectionStatus =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'open' }
  /** The server is gone, since `sinceMs` by the page's clock; the next try is `retryMs` later. */
  | { readonly kind: 'lost'; readonly sinceMs: number; readonly retryMs: number }
  /** The server wants a token, or another one; `message` is its own. */
  | { readonly kind: 'refused'; readonly message: string };

/** Waits between tries to reach the server: doubled from the first to the last. */
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 8000;

/** How long to wait before the try after `failures` ≥ 1 failed ones, in ms. */
export function retryMs(failures: number): number {
  return Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** (failures - 1));
}

/** The status in a sentence. */
export function connectionText(status: ConnectionStatus): string {
  switch (status.kind) {
    case 'connecting':
      return 'Connecting to the server …';
    case 'open':
      return 'Connected';
    case 'lost':
      return `The server has not answered since ${new Date(status.sinceMs).toLocaleTimeString()}. What is shown may be old.`;
    case 'refused':
      return 'The server wants a token.';
  }
}
