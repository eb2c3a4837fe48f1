import { counted } from '../../number-text.js';
import { hashOf } from '../state/board-address.js';
import type { BoardState } from '../state/board-state.js';
import { durationText, stateText } from '../state/texts.js';

export interface BoardListProps {
  readonly boards: readonly BoardState[];
  readonly chosen: string | undefined;
  readonly nowMs: number;
}

/** Every board with its state and its driver; a click shows the rest of it. */
export function BoardList({ boards, chosen, nowMs }: BoardListProps) {
  return (
    <nav class="boards" aria-labelledby="boards-title">
      <h2 id="boards-title">{counted(boards.length, 'board')}</h2>
      <ul>
        {boards.map(({ view }) => {
          const { text, mark } = stateText(view);
          return (
            <li key={view.name}>
              <a
                href={hashOf(view.name)}
                {...(view.name === chosen ? { 'aria-current': 'true' as const } : {})}
              >
                <bdi class="name">{view.name}</bdi> <span class={`badge ${mark}`}>{text}</span>
                <div class="small">
                  {view.lease ? (
                    <>
                      <bdi>{view.lease.owner}</bdi> for {durationText(view.lease.sinceMs, nowMs)}
                    </>
                  ) : (
                    'free'
                  )}
                  {view.queue.length > 0 ? `, ${view.queue.length} waiting` : ''}
                  {view.recording.on ? ', recording' : ''}
                </div>
              </a>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}
