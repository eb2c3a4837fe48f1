import { useState } from 'preact/hooks';
import { formatCount } from '../../number-text.js';
import { Legend } from '../charts/legend.js';
import { LineChart } from '../charts/line-chart.js';
import { LINE_COLORS_COUNT } from '../charts/theme.js';
import type { BoardState } from '../state/board-state.js';
import { formatVolts } from '../state/texts.js';

/** The newest minute of the cells' voltages, some cells at a time. */
export function VoltagesPanel({ board }: { readonly board: BoardState }) {
  const { newest, view } = board;
  const [wanted, setFirst] = useState(0);
  const told = newest?.volts.length ?? 0;
  const first = wanted < told ? wanted : 0;
  const cells = Array.from({ length: Math.min(LINE_COLORS_COUNT, told - first) }, (_, i) => first + i);
  const last = first + cells.length - 1;
  return (
    <section class="panel" aria-labelledby="voltages-title">
      <header>
        <h3 id="voltages-title">Voltages</h3>
        {newest ? (
          <span class="small">
            run {newest.run}, sample {formatCount(newest.sample)}, tick {formatCount(newest.tick)}
          </span>
        ) : null}
      </header>
      {newest ? (
        <>
          <LineChart
            summary={`Voltages of cells ${first} to ${last} over the last minute. The newest values are in the list below.`}
            xLabel="time before the newest reading (s)"
            yLabel="voltage (V)"
            series={cells.map((cell, i) => ({ label: `cell ${cell}`, color: i }))}
            data={[
              board.newestVoltages(0).map((timeMs) => (timeMs - newest.timeMs) / 1000),
              ...cells.map((cell) => board.newestVoltages(cell + 1)),
            ]}
          />
          <Legend
            entries={cells.map((cell, i) => ({
              label: `cell ${cell}`,
              color: i,
              value: formatVolts(newest.volts[cell]),
            }))}
          />
          {told > LINE_COLORS_COUNT ? (
            <p class="row">
              <button
                type="button"
                disabled={first === 0}
                onClick={() => setFirst(Math.max(0, first - LINE_COLORS_COUNT))}
              >
                Earlier cells
              </button>
              <button
                type="button"
                disabled={last === told - 1}
                onClick={() => setFirst(first + LINE_COLORS_COUNT)}
              >
                Later cells
              </button>
              <span class="small">
                cells {first} to {last} of {formatCount(told)}
                {view.identity && view.identity.cells > told
                  ? ` (the board has ${formatCount(view.identity.cells)})`
                  : ''}
              </span>
            </p>
          ) : null}
        </>
      ) : (
        <p class="small">No reading yet. Voltages come when a client samples the board.</p>
      )}
    </section>
  );
}
