import { useEffect, useReducer, useState } from 'preact/hooks';
import type { Right } from '../hub/api.js';
import { BoardHead } from './panels/board-head.js';
import { BoardList } from './panels/board-list.js';
import { FactsPanel } from './panels/facts.js';
import { IncidentsPanel } from './panels/incidents.js';
import { LinkPanel } from './panels/link.js';
import { MomentsPanel } from './panels/moments.js';
import { RecordingPanel } from './panels/recording.js';
import { TokenForm } from './panels/token-form.js';
import { TrainingPanel } from './panels/training.js';
import { VoltagesPanel } from './panels/voltages.js';
import { boardNameOf } from './state/board-address.js';
import { type ConnectionStatus, connectionText } from './state/connection-text.js';
import { stateText } from './state/texts.js';
import type { Store } from './store.js';

export interface AppProps {
  readonly store: Store;
  readonly useToken: (token: string) => void;
  readonly retryNow: () => void;
}

/** Shorter states are not announced to screen readers, because a board may run ten times a second. */
const STEADY_MS = 1000;

const RIGHT_TEXTS: Readonly<Record<Right, string>> = {
  observe: 'may look',
  stop: 'may look and stop',
  drive: 'may look, stop and drive',
  admin: 'may do everything',
};

/** A good status is announced only to screen readers. The form for the token shows its own message. */
const NOTICE_CLASSES: Readonly<Record<ConnectionStatus['kind'], string>> = {
  connecting: 'notice',
  open: 'unseen',
  lost: 'notice bad',
  refused: 'unseen',
};

/** The address does not change, because it says which board is shown. */
function skipToMain(event: Event): void {
  event.preventDefault();
  const main = document.getElementById('main');
  main?.focus({ preventScroll: true });
  main?.scrollIntoView();
}

export function App({ store, useToken, retryNow }: AppProps) {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => store.listen(() => redraw(undefined)), [store]);
  useEffect(() => {
    const chosen = (): void => redraw(undefined);
    addEventListener('hashchange', chosen);
    return () => removeEventListener('hashchange', chosen);
  }, []);

  const { state, status } = store;
  const boards = [...state.boards.values()];
  const board = state.boards.get(boardNameOf(location.hash) ?? '') ?? boards[0];
  const name = board?.view.name;
  const mayStop = state.may('stop');

  // Escape stops the shown board, at any place of the focus.
  useEffect(() => {
    const stop = (event: KeyboardEvent): void => {
      if (event.key === 'Escape' && name !== undefined && mayStop && !event.repeat) void store.stop(name);
    };
    addEventListener('keydown', stop);
    return () => removeEventListener('keydown', stop);
  }, [store, name, mayStop]);

  const said = board ? `${name}: ${stateText(board.view).text}` : '';
  useEffect(() => {
    document.title = said === '' ? 'thermolink console' : `${said} · thermolink console`;
  }, [said]);
  const steady = useSteady(said);

  return (
    <>
      {/* biome-ignore lint/a11y/useValidAnchor: it leads to a place in the page, which has no address. */}
      <a class="skip" href="#main" onClick={skipToMain}>
        Skip to the board
      </a>
      <header class="top">
        <h1>thermolink console</h1>
        <span class="grow" />
        {state.observer ? (
          <span class="small">
            You are <bdi>{state.observer.owner}</bdi> and {RIGHT_TEXTS[state.observer.right]}. Server{' '}
            {state.version}.
          </span>
        ) : null}
        <span class={`badge ${status.kind === 'open' ? 'good' : 'warn'}`}>
          {status.kind === 'open' ? 'connected' : 'not connected'}
        </span>
      </header>
      <div class={NOTICE_CLASSES[status.kind]}>
        <span role="status">{connectionText(status)}</span>
        {status.kind === 'lost' ? (
          <>
            {` Next try in ${Math.ceil(status.retryMs / 1000)} s.`}
            <button type="button" onClick={retryNow}>
              Try now
            </button>
          </>
        ) : null}
      </div>
      <div role="status" class="unseen">
        {steady}
      </div>
      {status.kind === 'refused' ? (
        <main id="main" tabIndex={-1}>
          {/* Each refusal has a new, empty form, also if the connection failed before the page was drawn. */}
          <TokenForm key={status.refusals} message={status.message} useToken={useToken} />
        </main>
      ) : (
        <>
          {board ? (
            <BoardHead key={name} board={board} store={store} isLost={status.kind === 'lost'} />
          ) : null}
          <div class={`columns ${status.kind === 'lost' ? 'old' : ''}`}>
            <BoardList boards={boards} chosen={name} nowMs={state.timeMs} />
            <main id="main" tabIndex={-1}>
              {board ? (
                <div class="panels">
                  <div>
                    <VoltagesPanel key={name} board={board} />
                    <FactsPanel board={board} nowMs={state.timeMs} />
                    <TrainingPanel key={name} board={board} />
                    <RecordingPanel board={board} store={store} />
                    <IncidentsPanel incidents={state.incidents} thinnedCount={state.thinnedCount} />
                  </div>
                  <div>
                    <MomentsPanel board={board} />
                    <LinkPanel board={board} />
                  </div>
                </div>
              ) : status.kind === 'open' ? (
                <p class="notice">
                  This server has no boards. Start it with --device and the address of a board.
                </p>
              ) : null}
            </main>
          </div>
        </>
      )}
    </>
  );
}

/** Returns `text` after it has stayed the same for a while. */
function useSteady(text: string): string {
  const [steady, setSteady] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSteady(text), STEADY_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return steady;
}
