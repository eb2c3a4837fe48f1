import type { LinkCounters } from '../../hub/api.js';
import { formatBytes, formatCount } from '../../number-text.js';
import { Legend } from '../charts/legend.js';
import { LineChart } from '../charts/line-chart.js';
import { type BoardState, RATE } from '../state/board-state.js';

/** The counters in the order in which they are shown, with their names. */
const COUNTERS: Readonly<Record<keyof LinkCounters, string>> = {
  bytesToBoard: 'Bytes to the board',
  bytesToHost: 'Bytes to the host',
  frames: 'Frames',
  framesFaulty: 'Faulty frames',
  retransmissions: 'Repeated commands',
  sampleFramesLost: 'Lost sample frames',
  samplesLost: 'Lost samples',
  sessions: 'Sessions',
  runs: 'Runs',
  overloads: 'Overloads',
  watchdogTrips: 'Ended by silence',
  stops: 'Stops',
  refusals: 'Refused commands',
  faults: 'Latched faults',
  leases: 'Leases',
};

const COUNTER_NAMES = Object.keys(COUNTERS) as (keyof LinkCounters)[];

/** Traffic of the board's link, in total and per second. */
export function LinkPanel({ board: { counters, rates } }: { readonly board: BoardState }) {
  return (
    <section class="panel" aria-labelledby="link-title">
      <header>
        <h3 id="link-title">Link</h3>
        <span class="small">since the server has started</span>
      </header>
      {counters ? (
        <>
          {rates.length > 1 ? <Rates rates={rates} /> : null}
          <div class="scroll">
            <table>
              <tbody>
                {COUNTER_NAMES.map((counter) => (
                  <tr key={counter}>
                    <th scope="row">{COUNTERS[counter]}</th>
                    <td>
                      {counter.startsWith('bytes')
                        ? formatBytes(counters[counter])
                        : formatCount(counters[counter])}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      ) : (
        <p class="small">Nothing has passed yet.</p>
      )}
    </section>
  );
}

function Rates({ rates }: { readonly rates: BoardState['rates'] }) {
  const now = rates.last(RATE.timeMs);
  const time = rates.column(RATE.timeMs).map((timeMs) => (timeMs - now) / 1000);
  const bytes = (column: number): Float64Array => rates.column(column).map((rate) => rate / 1000);
  const series = [
    { label: 'to the board', color: 0, value: `${formatBytes(rates.last(RATE.bytesToBoard))}/s` },
    { label: 'to the host', color: 1, value: `${formatBytes(rates.last(RATE.bytesToHost))}/s` },
  ];
  const trouble = rates.last(RATE.trouble);
  return (
    <>
      <LineChart
        summary={`Bytes per second on the link over the last ten minutes. Now: ${series.map(({ label, value }) => `${value} ${label}`).join(', ')}.`}
        xLabel="time before the newest figure (s)"
        yLabel="rate (kB/s)"
        series={series.map(({ label, color }) => ({ label, color }))}
        data={[time, bytes(RATE.bytesToBoard), bytes(RATE.bytesToHost)]}
      />
      <Legend entries={series} />
      <p class="small">
        {formatCount(rates.last(RATE.frames))} frames/s, {formatCount(trouble)} faulty, repeated or lost a
        second.
      </p>
    </>
  );
}
