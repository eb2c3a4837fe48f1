import type { MessageEnd } from '../transport/thread-port.js';

/**
 * One side of a message channel of a browser, in the form that `ThreadPort` needs. Browsers do not report
 * that the other side has ended; `ended` does.
 */
export function channelEnd(port: MessagePort, ended?: Promise<unknown>): MessageEnd {
  return {
    postMessage: (message, transfer) => port.postMessage(message, [...transfer]),
    on(event, listener) {
      if (event === 'close') return void ended?.then(() => listener(0));
      port.addEventListener('message', ({ data }: MessageEvent<0 | Uint8Array>) => listener(data));
      port.start();
    },
    close: () => port.close(),
  };
}
