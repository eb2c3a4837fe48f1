/** State of the page's connection to its server. */
export type ConnectionStatus =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'open' }
  /**
   * The connection was lost at `sinceMs` (the page's clock); the next try comes `retryMs` after the last
   * failed one.
   */
  | { readonly kind: 'lost'; readonly sinceMs: number; readonly retryMs: number }
  /** The server asks for a token, or rejects the one it got; `message` is the server's text. */
  // `refusals` counts the refused tokens since the page was opened.
  | { readonly kind: 'refused'; readonly message: string; readonly refusals: number };

/** The first and the longest wait between two tries to reach the server. Each is twice the one before. */
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 8000;

/** Wait before the next try when `failures` ≥ 1 tries in succession have failed, ms. */
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
