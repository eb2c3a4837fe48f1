import { counted } from '../../number-text.js';
import type { Incident } from '../state/console-state.js';

export interface IncidentsPanelProps {
  readonly incidents: readonly Incident[];
  readonly thinnedCount: number;
}

/** Lines about what happened, the newest first. */
export function IncidentsPanel({ incidents, thinnedCount }: IncidentsPanelProps) {
  return (
    <section class="panel" aria-labelledby="incidents-title">
      <header>
        <h3 id="incidents-title">What happened</h3>
      </header>
      {incidents.length === 0 ? <p class="small">Nothing since this page was opened.</p> : null}
      <div class="lines" role="log" aria-labelledby="incidents-title">
        <ul>
          {incidents.map(({ id, timeMs, board, text }) => (
            <li key={id}>
              <time dateTime={new Date(timeMs).toISOString()}>{new Date(timeMs).toLocaleTimeString()}</time>{' '}
              {board === null ? null : (
                <strong>
                  <bdi>{board}</bdi>{' '}
                </strong>
              )}
              <bdi>{text}</bdi>
            </li>
          ))}
        </ul>
      </div>
      {thinnedCount === 0 ? null : (
        <p class="small">
          {counted(thinnedCount, 'message')} left out by the server, since this page read too slowly.
        </p>
      )}
    </section>
  );
}
