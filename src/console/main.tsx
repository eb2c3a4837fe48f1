import 'uplot/dist/uPlot.min.css';
import './style.css';
import { render } from 'preact';
import { App } from './app.js';
import { LiveEvents } from './server/live-events.js';
import { ServerRequests } from './server/requests.js';
import { Store } from './store.js';

const TOKEN_KEY = 'thermolink token';

const base = new URL('.', location.href);
// The token is kept while this tab is open. It is never in the address, because addresses get into logs and
// histories.
let token = sessionStorage.getItem(TOKEN_KEY) ?? '';
const store = new Store(new ServerRequests(base, () => token));
const events = new LiveEvents({
  base,
  token: () => token,
  onEvent: (event) => {
    store.state.apply(event);
    store.changed();
  },
  onStatus: (status) => store.setStatus(status),
});
addEventListener('online', () => store.status.kind === 'lost' && events.retryNow());

function useToken(given: string): void {
  token = given;
  sessionStorage.setItem(TOKEN_KEY, given);
  events.retryNow();
}

render(
  <App store={store} useToken={useToken} retryNow={() => events.retryNow()} />,
  document.getElementById('app')!,
);
