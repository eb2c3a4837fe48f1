import { formatCount, formatSeconds } from '../../number-text.js';
import type { BoardState } from '../state/board-state.js';
import { durationText, formatVolts, runText } from '../state/texts.js';

export interface FactsPanelProps {
  readonly board: BoardState;
  readonly nowMs: number;
}

/** Facts about the board, its lease and the waiting clients. */
export function FactsPanel({ board: { view, lastRun }, nowMs }: FactsPanelProps) {
  const { identity, lease, queue, run } = view;
  return (
    <section class="panel" aria-labelledby="facts-title">
      <header>
        <h3 id="facts-title">Board and lease</h3>
      </header>
      <dl class="facts">
        <Fact name="Address">{view.uri}</Fact>
        <Fact name="Health">{view.health}</Fact>
        {identity ? (
          <>
            <Fact name="Type">{identity.model}</Fact>
            <Fact name="Serial number">{identity.serialNumber}</Fact>
            <Fact name="Firmware">{identity.firmwareVersion}</Fact>
            <Fact name="Cells">{formatCount(identity.cells)}</Fact>
            <Fact name="Time constant τ">{formatSeconds(identity.tauNs * 1e-9)}</Fact>
            <Fact name="Full scale">±{formatVolts(identity.fullScaleMicrovolts * 1e-6)}</Fact>
          </>
        ) : null}
        <Fact name="Lease">
          {lease ? (
            <>
              <bdi>{lease.owner}</bdi>, <bdi>{lease.client}</bdi>
            </>
          ) : (
            'free'
          )}
        </Fact>
        {lease ? (
          <Fact name="Held, heard last">
            {durationText(lease.sinceMs, nowMs)}, {durationText(lease.heardMs, nowMs)} ago
          </Fact>
        ) : null}
      </dl>
      <p>
        {run ? (
          <>
            {runText(run)}, by <bdi>{run.owner}</bdi>.
          </>
        ) : (
          'No run now.'
        )}
      </p>
      {lastRun ? (
        <p class="small">
          Run {lastRun.run} ended: {lastRun.outcome}, {formatCount(lastRun.samplesTaken)} samples in{' '}
          {formatSeconds(lastRun.seconds)}
          {lastRun.overloadedCellCount > 0
            ? `, ${formatCount(lastRun.overloadedCellCount)} cells overloaded`
            : ''}
          .
        </p>
      ) : null}
      {queue.length === 0 ? (
        <p class="small">Nobody waits.</p>
      ) : (
        <div class="scroll">
          <table>
            <caption>Waiting for the lease, the next one first</caption>
            <thead>
              <tr>
                <th scope="col">Owner</th>
                <th scope="col">Client</th>
                <th scope="col">Waits for</th>
                <th scope="col">Gives up in</th>
              </tr>
            </thead>
            <tbody>
              {queue.map(({ owner, client, sinceMs, untilMs }) => (
                <tr key={`${client} ${sinceMs}`}>
                  <th scope="row">
                    <bdi>{owner}</bdi>
                  </th>
                  <td>
                    <bdi>{client}</bdi>
                  </td>
                  <td>{durationText(sinceMs, nowMs)}</td>
                  <td>{durationText(nowMs, untilMs)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
