import { formatCount, formatPercent } from '../../number-text.js';
import { HeatMap } from '../charts/heat-map.js';
import { Legend } from '../charts/legend.js';
import { LineChart } from '../charts/line-chart.js';
import { largestSize } from '../charts/scales.js';
import { type BoardState, DISTANCE } from '../state/board-state.js';
import { formatSquareVolts, formatVolts } from '../state/texts.js';

/** Largest number of cells whose moments are also shown as a table. */
const TABLE_CELLS_MAX = 8;

/** Mean and covariance over runs of one program, with their expected values. */
export function MomentsPanel({ board: { moments, distances } }: { readonly board: BoardState }) {
  return (
    <section class="panel" aria-labelledby="moments-title">
      <header>
        <h3 id="moments-title">Mean and covariance</h3>
        {moments ? (
          <span class="small">
            run {moments.run}, {formatCount(moments.samples)} samples
            {moments.runs > 1 ? ` of ${formatCount(moments.runs)} runs` : ''}
          </span>
        ) : null}
      </header>
      {moments ? (
        <>
          {moments.runs > 1 ? (
            <p class="small">
              Of runs that follow each other faster than twice a second, the server tells two a second. The
              others are not in these figures.
            </p>
          ) : null}
          <Means moments={moments} />
          <Covariances moments={moments} />
          {distances.length > 1 ? <Distances distances={distances} /> : null}
        </>
      ) : (
        <p class="small">No samples yet. Mean and covariance build up while a run samples.</p>
      )}
    </section>
  );
}

type Moments = NonNullable<BoardState['moments']>;

function Means({ moments }: { readonly moments: Moments }) {
  const { meanVolts, expectedMeanVolts, varianceVolts2 } = moments;
  const cells = meanVolts.map((_, cell) => cell);
  const measured = { label: 'mean so far', color: 0, kind: 'point' as const };
  const expected = { label: 'as it should be', color: 1, kind: 'ring' as const };
  const series = expectedMeanVolts ? [expected, measured] : [measured];
  return (
    <>
      <LineChart
        summary={`Mean voltage of each of ${cells.length} cells after ${formatCount(moments.samples)} samples${expectedMeanVolts ? ', beside its expected value' : ''}.`}
        xLabel="cell"
        yLabel="mean (V)"
        series={series}
        data={[cells, ...(expectedMeanVolts ? [expectedMeanVolts] : []), meanVolts]}
        formatX={(cell) => (Number.isInteger(cell) ? String(cell) : '')}
      />
      <Legend entries={series} />
      {expectedMeanVolts ? null : (
        <p class="small">
          What it should be is not known: the upload of the program was not seen, or it is no dense one.
        </p>
      )}
      {cells.length <= TABLE_CELLS_MAX ? (
        <details>
          <summary>Means as a table</summary>
          <div class="scroll">
            <table>
              <thead>
                <tr>
                  <th scope="col">Cell</th>
                  <th scope="col">Mean</th>
                  <th scope="col">Should be</th>
                  <th scope="col">Standard deviation</th>
                </tr>
              </thead>
              <tbody>
                {cells.map((cell) => (
                  <tr key={cell}>
                    <th scope="row">{cell}</th>
                    <td>{formatVolts(meanVolts[cell])}</td>
                    <td>{expectedMeanVolts ? formatVolts(expectedMeanVolts[cell]) : 'not known'}</td>
                    <td>{varianceVolts2 ? formatVolts(Math.sqrt(varianceVolts2[cell])) : 'not known'}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </details>
      ) : null}
    </>
  );
}

function Covariances({
  moments: { covarianceVolts2, expectedCovarianceVolts2, meanVolts },
}: {
  readonly moments: Moments;
}) {
  if (!covarianceVolts2 || covarianceVolts2.length === 0) return null;
  const n = covarianceVolts2.length;
  const measured = covarianceVolts2.flat();
  const expected = expectedCovarianceVolts2?.flat();
  // Both maps have the same colours, so that they can be compared.
  const limit = largestSize(measured, expected);
  const common = { n, first: 0, limit, format: formatSquareVolts };
  const size = `${n} by ${n} cells, colours from ${formatSquareVolts(-limit)} to ${formatSquareVolts(limit)}`;
  return (
    <>
      <div class="heats">
        <HeatMap
          {...common}
          title="Covariance so far"
          summary={`Covariance so far of ${size}.`}
          values={measured}
        />
        {expected ? (
          <HeatMap
            {...common}
            title="As it should be"
            summary={`Covariance as it should be, of ${size}.`}
            values={expected}
          />
        ) : null}
      </div>
      {meanVolts.length > n ? <p class="small">The first {n} cells.</p> : null}
    </>
  );
}

function Distances({ distances }: { readonly distances: BoardState['distances'] }) {
  const names = [
    { column: DISTANCE.mean, label: 'mean', color: 0 },
    { column: DISTANCE.covariance, label: 'covariance', color: 1 },
  ].filter(({ column }) => !Number.isNaN(distances.last(column)));
  const entries = names.map(({ column, label, color }) => ({
    label,
    color,
    value: formatPercent(distances.last(column), 2),
  }));
  return (
    <>
      <LineChart
        summary={`Relative distance to the expected values, over the samples. Now: ${entries.map(({ label, value }) => `${label} ${value}`).join(', ')}.`}
        xLabel="samples"
        yLabel="relative distance"
        isLogarithmic={true}
        series={names.map(({ label, color }) => ({ label, color }))}
        data={[distances.column(DISTANCE.samples), ...names.map(({ column }) => distances.column(column))]}
      />
      <Legend entries={entries} />
    </>
  );
}
