import { useState } from 'preact/hooks';
import { formatCount, formatNumber } from '../../number-text.js';
import { Legend } from '../charts/legend.js';
import { LineChart } from '../charts/line-chart.js';
import type { BoardState } from '../state/board-state.js';

/** The curves of a training that drives the board; the newest one unless another is chosen. */
export function TrainingPanel({ board: { trainings } }: { readonly board: BoardState }) {
  const [wanted, setWanted] = useState('');
  const names = [...trainings.keys()];
  const name = trainings.has(wanted) ? wanted : names.at(-1);
  const training = name === undefined ? undefined : trainings.get(name);
  return (
    <section class="panel" aria-labelledby="training-title">
      <header>
        <h3 id="training-title">Training</h3>
        {training ? (
          <span class="small">
            <bdi>{name}</bdi>, by <bdi>{training.owner}</bdi>, step {formatCount(training.rows.last(0))}
          </span>
        ) : null}
      </header>
      {names.length > 1 ? (
        <p>
          <label>
            Show{' '}
            <select value={name} onChange={(event) => setWanted(event.currentTarget.value)}>
              {names.map((one) => (
                <option key={one} value={one}>
                  {one}
                </option>
              ))}
            </select>
          </label>
        </p>
      ) : null}
      {training ? (
        training.names.map((curve, i) => <Curve key={curve} curve={curve} index={i} training={training} />)
      ) : (
        <p class="small">No training has told anything. One sends its curves while it drives this board.</p>
      )}
    </section>
  );
}

type Training = BoardState['trainings'] extends ReadonlyMap<string, infer T> ? T : never;

interface CurveProps {
  readonly curve: string;
  readonly index: number;
  readonly training: Training;
}

/** A curve has a chart of its own: losses, shares and seconds have different sizes. */
function Curve({ curve, index, training: { rows } }: CurveProps) {
  const column = rows.column(index + 1);
  const told = Array.from(column.keys()).filter((row) => !Number.isNaN(column[row]));
  const steps = rows.column(0);
  const values = told.map((row) => column[row]);
  const last = values.at(-1) ?? Number.NaN;
  return (
    <>
      <LineChart
        summary={`${curve} over the steps of the training. Now ${formatNumber(last)}.`}
        xLabel="step"
        yLabel={curve}
        series={[{ label: curve, color: index }]}
        data={[told.map((row) => steps[row]), values]}
      />
      <Legend entries={[{ label: curve, color: index, value: formatNumber(last) }]} />
    </>
  );
}
