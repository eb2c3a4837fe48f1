import type { BoardState } from '../state/board-state.js';
import { stateText } from '../state/texts.js';
import type { Store } from '../store.js';

export interface BoardHeadProps {
  readonly board: BoardState;
  readonly store: Store;
  /** Whether the server is not reached, so the shown data may be old. */
  readonly isLost: boolean;
}

/** Name, state and stop of the board that is shown. It stays in sight when the page is scrolled. */
export function BoardHead({ board: { view }, store, isLost }: BoardHeadProps) {
  const { text, mark } = stateText(view);
  const mayStop = store.state.may('stop');
  const answer = store.answers.get(view.name);
  return (
    <section class="head" aria-label="Board">
      <h2 title={view.name}>
        <bdi>{view.name}</bdi>
      </h2>
      <span class={`badge ${isLost ? 'warn' : mark}`}>{isLost ? `was: ${text}` : text}</span>
      <button
        type="button"
        class="stop"
        aria-label={`Stop ${view.name}`}
        aria-keyshortcuts="Escape"
        disabled={!mayStop}
        title={mayStop ? 'Stops the run, switches the outputs off' : 'Your token does not allow a stop'}
        onClick={() => void store.stop(view.name)}
      >
        Stop
      </button>
      {mayStop ? <span class="key small">or Esc</span> : null}
      <div role="alert" class={answer ? `answer notice ${answer.kind === 'failed' ? 'bad' : ''}` : 'unseen'}>
        {answer?.text ?? ''}
      </div>
      {view.problem === null ? null : <p class="answer notice bad">{view.problem}</p>}
    </section>
  );
}
