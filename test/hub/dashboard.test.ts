import { describe, expect, it } from 'vitest';
import { Tokens } from '../../src/hub/tokens.js';
import { readRepositoryFile } from '../repository/files.js';
import { hasPrometheus, mindedMetrics, withPrometheus } from '../support/prometheus.js';
import { ask, drive, runForLong, type TestHub, withHub } from './shared-board.js';

if (!hasPrometheus && process.env['CI']) throw new Error('CI has no prometheus');

const PAGE = readRepositoryFile('docs/how-to/watch-with-prometheus.md');
const TOKEN = 'secret-of-the-wall';

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets: readonly { readonly expr: string }[];
  }[];
  readonly templating: { readonly list: readonly { readonly query: string | { readonly query: string } }[] };
}

const DASHBOARD = JSON.parse(readRepositoryFile('docs/examples/grafana/thermolink.json')) as Dashboard;
const QUERIES = DASHBOARD.panels.flatMap(({ title, targets }) =>
  targets.map(({ expr }) => [title, expr] as const),
);

/** Names of figures in a text, those of a histogram's series included. */
const namesIn = (text: string): string[] => [
  ...new Set(text.match(/\b(?:thermolink|process|nodejs)_[a-z0-9_]+/g) ?? []),
];

async function metricsText(hub: TestHub): Promise<string> {
  const { bytes } = await ask(hub, 'GET', '/metrics', undefined, { Authorization: `Bearer ${TOKEN}` });
  return bytes!.toString();
}

const OPTIONS = { tokens: Tokens.single(TOKEN, 'a test') };

describe('the documents about the metrics of a hub', () => {
  it('the dashboard uses only existing series, and shows each of ours', () =>
    withHub(async (hub) => {
      const text = await metricsText(hub);
      const series = new Set([...text.matchAll(/^([a-z0-9_]+)/gm)].map(([, name]) => name));
      const variables = DASHBOARD.templating.list.map(({ query }) => JSON.stringify(query));
      const asked = namesIn([...QUERIES.map(([, expression]) => expression), ...variables].join('\n'));
      expect(asked.filter((name) => !series.has(name))).toEqual([]);
      const shown = asked.map((name) => name.replace(/_bucket$/, ''));
      expect(oursIn(text).filter((name) => !shown.includes(name))).toEqual([]);
    }, OPTIONS));

  it('the page names exactly our series', () =>
    withHub(async (hub) => {
      const table = PAGE.split('\n').filter((line) => line.startsWith('| `thermolink_'));
      expect(namesIn(table.join('\n')).sort()).toEqual(oursIn(await metricsText(hub)).sort());
    }, OPTIONS));
});

describe.runIf(hasPrometheus)('the Prometheus of Debian', () => {
  it('objects to three names of Node.js, and to no name of ours', { tags: ['long'] }, () =>
    withHub(async (hub) => {
      const minded = mindedMetrics(await metricsText(hub));
      expect(minded.filter((line) => !/^nodejs_active_\w+_total /.test(line))).toEqual([]);
      expect(minded).toHaveLength(3);
    }, OPTIONS),
  );

  it('takes the settings of the page, and answers each query of the dashboard', { tags: ['long'] }, () =>
    withHub(async (hub) => {
      const [settings, rules] = [...PAGE.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text);
      const files = {
        'prometheus.yml': settings
          .replace('lab.example:8100', new URL(hub.url).host)
          .replace('/etc/prometheus/thermolink-token', 'token')
          .replace('scrape_interval: 15s', 'scrape_interval: 500ms'),
        'thermolink-rules.yml': rules,
        token: `${TOKEN}\n`,
      };
      process.env['THERMOLINK_TOKEN'] = TOKEN;
      const device = await drive(hub.uri()).finally(() => delete process.env['THERMOLINK_TOKEN']);
      await runForLong(device);
      await withPrometheus(files, async ({ query }) => {
        for (const [title, expression] of QUERIES) {
          const asked = expression.replaceAll('$board', '.+').replaceAll('$__rate_interval', '5s');
          expect(asked).not.toContain('$');
          // The rate of round trips has a value only while a client asks the board.
          const values = async (): Promise<number[]> => {
            await device.readStatus();
            return query(asked);
          };
          await expect
            .poll(values, { timeout: 30_000, interval: 250, message: `${title}: ${asked}` })
            .toEqual([expect.toSatisfy(Number.isFinite)]);
        }
        expect(await query('thermolink_board_up')).toEqual([1]);
        expect(await query('thermolink_board_running')).toEqual([1]);
        expect(await query('thermolink_runs_total')).toEqual([1]);
        expect(await query('ALERTS')).toEqual([]);
      });
      await device.stop();
      await device.close();
    }, OPTIONS),
  );
});

/** The figures of this program that a text of metrics declares. */
function oursIn(text: string): string[] {
  return [...text.matchAll(/^# TYPE (thermolink_\w+)/gm)].map(([, name]) => name);
}
