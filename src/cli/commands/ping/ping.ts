import { counted, formatSeconds } from '../../../number-text.js';
import { type BoardUse, boardCommand } from '../../board-command.js';
import { option } from '../../options/option.js';
import { positiveInteger } from '../../options/values.js';
import { formatTable } from '../../output/table.js';
import { percentile } from '../../statistics.js';

export const command = boardCommand({
  options: {
    count: option('-c, --count <n>', 'round trips', { value: positiveInteger(1_000_000), default: 10 }),
  },
  fallback: 'emulator:ideal-crossbar',
  example: `
Example:
  thermolink ping --device emulator:ideal-8 -c 100`,
  async run({ count }, onBoard, onLucidac) {
    const measure = async (
      board: { ping(options: { readonly signal: AbortSignal }): Promise<number> },
      { signal }: BoardUse,
    ): Promise<number[]> => {
      const trips: number[] = [];
      while (trips.length < count) trips.push(await board.ping({ signal }));
      return trips;
    };
    const { result: tripsMs, device } = await (onLucidac?.(measure) ?? onBoard(measure));
    const quantiles = { min: 0, p50: 0.5, p90: 0.9, p99: 0.99, max: 1 };
    const figures = Object.entries(quantiles).map(
      ([name, share]) => [name, percentile(tripsMs, share)] as const,
    );
    const rows = figures.map(([name, ms]) => [name, formatSeconds(ms / 1000)]);
    return {
      json: {
        timing: { device, count, ...Object.fromEntries(figures.map(([name, ms]) => [`${name}Ms`, ms])) },
      },
      text: `${counted(count, 'round trip')} to ${device}\n${formatTable(rows, { align: ['left', 'right'] })}`,
    };
  },
});
