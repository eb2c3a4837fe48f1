import { formatBytes } from '../../number-text.js';
import type { BoardState } from '../state/board-state.js';
import { durationText } from '../state/texts.js';
import type { Store } from '../store.js';

export interface RecordingPanelProps {
  readonly board: BoardState;
  readonly store: Store;
}

/** Records all bytes of the board's link, and offers the recording as a file. */
export function RecordingPanel({ board: { view }, store }: RecordingPanelProps) {
  const { on, sinceMs, bytes, hasTrace, problem } = view.recording;
  const mayRecord = store.state.may('drive');
  return (
    <section class="panel" aria-labelledby="recording-title">
      <header>
        <h3 id="recording-title">Recording</h3>
        <span class={`badge ${on ? 'good' : 'plain'}`}>{on ? 'on' : 'off'}</span>
      </header>
      <p>
        {on && sinceMs !== null
          ? `${formatBytes(bytes)} in ${durationText(sinceMs, store.state.timeMs)}.`
          : 'Records every byte between the board and its client.'}
      </p>
      {problem === null ? null : <p class="notice bad">{problem}</p>}
      <p class="row">
        <button type="button" disabled={!mayRecord} onClick={() => void store.record(view.name, !on)}>
          {on ? 'End the recording' : 'Record'}
        </button>
        <button type="button" disabled={!hasTrace} onClick={() => void store.downloadTrace(view.name)}>
          Download the trace
        </button>
      </p>
      {mayRecord ? null : <p class="small">Your token does not allow to record.</p>}
    </section>
  );
}
