import type { MessageEnd } from '../transport/thread-port.js';

/**
 * One end of a browser's channel of messages, as `ThreadPort` takes it. Browsers do not tell that the other
 * end has gone; `ended` does.
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
