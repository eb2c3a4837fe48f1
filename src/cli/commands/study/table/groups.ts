import { formatBytes, formatNumber, formatSeconds } from '../../../../number-text.js';
import type { Series } from '../../../../plot/series.js';
import type { Column, Settings, TablePart, TableRun, TextTable } from './table-study.js';

/** A figure over the seeds. */
export interface Spread {
  /** The geometric mean if all figures are above 0, otherwise the arithmetic mean. */
  readonly mean: number;
  readonly min: number;
  readonly max: number;
}

/** Runs that differ in their seed only. */
export interface Group {
  readonly settings: Settings;
  readonly runs: readonly TableRun[];
}

/**
 * The runs of a part that have these settings, whatever their other settings are. The groups have the order
 * of their first runs.
 */
export function groupsOf(runs: readonly TableRun[], part: string, settings: Settings = {}): Group[] {
  const groups = new Map<string, { settings: Settings; runs: TableRun[] }>();
  for (const run of runs) {
    if (run.part !== part) continue;
    if (Object.entries(settings).some(([name, value]) => run.settings[name] !== value)) continue;
    const key = JSON.stringify(run.settings);
    const group = groups.get(key) ?? { settings: run.settings, runs: [] };
    group.runs.push(run);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** A figure of the group over its seeds; undefined if a run failed or has no such figure. */
export function spreadOver({ runs }: Pick<Group, 'runs'>, figure: string): Spread | undefined {
  const values = runs.map((run) => run.figures[figure] ?? run.timing?.[figure]);
  if (values.length === 0 || !values.every((value) => value !== undefined)) return undefined;
  return spreadOfValues(values);
}

/** Mean, least and largest of `values`, at least one. */
export function spreadOfValues(values: readonly number[]): Spread {
  const sum = (f: (value: number) => number) => values.reduce((total, value) => total + f(value), 0);
  const isPositive = values.every((value) => value > 0);
  return {
    mean: isPositive ? Math.exp(sum(Math.log) / values.length) : sum((value) => value) / values.length,
    min: Math.min(...values),
    max: Math.max(...values),
  };
}

/**
 * The mean of a figure over the seeds of the runs with `settings`. NaN if there are no runs or one failed.
 */
export function meanAt(runs: readonly TableRun[], part: string, settings: Settings, figure: string): number {
  const [group] = groupsOf(runs, part, settings);
  return (group && spreadOver(group, figure)?.mean) ?? Number.NaN;
}

/** The parts of a study as texts: a row for each setting, each figure with its range over the seeds. */
export function partTable({ name, title, columns }: TablePart, runs: readonly TableRun[]): TextTable {
  const groups = groupsOf(runs, name);
  const names = [...new Set(groups.flatMap(({ settings }) => Object.keys(settings)))];
  return {
    title,
    header: [...names, ...columns.map((column) => column.title)],
    rows: groups.map((group) => [
      ...names.map((setting) => String(group.settings[setting] ?? '')),
      ...columns.map((column) => cellText(group, column)),
    ]),
  };
}

function cellText(group: Group, { figure, format }: Column): string {
  const failure = group.runs.find((run) => run.failure)?.failure;
  if (failure !== undefined) return `failed: ${failure.code}`;
  const spread = spreadOver(group, figure);
  if (spread === undefined) return '–';
  const [mean, min, max] = [spread.mean, spread.min, spread.max].map(format);
  return min === max ? mean : `${mean} [${min}, ${max}]`;
}

/** A time, or a dash for methods that take no board time. */
export const secondsOrDash = (seconds: number): string => (seconds === 0 ? '–' : formatSeconds(seconds));

/** A number, or a dash for methods without this number. */
export const numberOrDash = (value: number): string => (value === 0 ? '–' : formatNumber(value));

/** Bytes, or a dash for methods that send no bytes. */
export const bytesOrDash = (bytes: number): string => (bytes === 0 ? '–' : formatBytes(bytes));

/**
 * The contents of a chart of curves: the setting along x, the figure along y, and the setting that names a
 * curve.
 */
export interface CurveSpec {
  readonly part: string;
  readonly settings?: Settings;
  readonly x: string;
  readonly y: string;
  /** The name of the curve of a run with these settings. */
  readonly nameOf: (settings: Settings) => string;
}

/** A curve of means for each name, with the seeds pale behind it. */
export function curvesOf(runs: readonly TableRun[], { part, settings, x, y, nameOf }: CurveSpec): Series[] {
  const means = new Map<string, [number, number][]>();
  const seeds = new Map<string, { name: string; points: [number, number][] }>();
  for (const group of groupsOf(runs, part, settings)) {
    const name = nameOf(group.settings);
    const at = Number(group.settings[x]);
    const spread = spreadOver(group, y);
    if (spread !== undefined) means.set(name, [...(means.get(name) ?? []), [at, spread.mean]]);
    for (const run of group.runs) {
      const value = run.figures[y] ?? run.timing?.[y];
      if (value === undefined) continue;
      const key = `${name} ${run.seed}`;
      const curve = seeds.get(key) ?? { name, points: [] };
      curve.points.push([at, value]);
      seeds.set(key, curve);
    }
  }
  return [
    ...[...seeds.values()].map((curve): Series => ({ ...curve, faint: true })),
    ...[...means].map(([name, points]): Series => ({ name, points })),
  ];
}

/** The slope of ln y over ln x by least squares; NaN for fewer than two points. */
export function logSlope(points: readonly (readonly [number, number])[]): number {
  const n = points.length;
  if (n < 2) return Number.NaN;
  const [xs, ys] = [0, 1].map((i) => points.map((point) => Math.log(point[i])));
  const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / n;
  const [mx, my] = [meanOf(xs), meanOf(ys)];
  let [above, below] = [0, 0];
  for (let i = 0; i < n; i++) {
    above += (xs[i] - mx) * (ys[i] - my);
    below += (xs[i] - mx) ** 2;
  }
  return above / below;
}
