/** A chain in an output file of CmdStan. */
export interface StanFile {
  readonly settings: Readonly<Record<string, string>>;
  readonly columns: readonly string[];
  readonly draws: readonly number[][];
  readonly samplingSeconds: number;
}

/**
 * Reads an output file of CmdStan as "CmdStan User's Guide", chapter "Stan CSV File Format", describes it:
 * comments `# name = value (Default)` before the header, a header whose first names end in two underscores,
 * draws, and then comments with the times. It shares nothing with the writer.
 */
export function readStanCsv(text: string): StanFile {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const lines = text.slice(0, -1).split('\n');
  const header = lines.findIndex((line) => !line.startsWith('#'));
  const settings = Object.fromEntries(
    lines
      .slice(0, header)
      .flatMap((line) => [/^# *([a-z_]+) = *(.*?)(?: \(Default\))?$/.exec(line)])
      .flatMap((match) => (match === null ? [] : [[match[1], match[2]]])),
  );
  const columns = lines[header].split(',');
  if (columns[0] !== 'lp__') throw new Error(`the first column is ${columns[0]}`);
  if (columns.some((name) => !/^[A-Za-z_][\w]*(?:\.\d+)*$/.test(name)))
    throw new Error('a name is not valid in Stan');
  const rest = lines.slice(header + 1);
  const draws = rest
    .filter((line) => !line.startsWith('#'))
    .map((line) => {
      const values = line.split(',').map(Number);
      if (values.length !== columns.length || values.some(Number.isNaN)) throw new Error(`bad line: ${line}`);
      return values;
    });
  if (draws.length !== Number(settings['num_samples'])) throw new Error('draws are missing');
  const time = rest
    .map((line) => /^# +([\d.e+-]+) seconds \(Sampling\)$/.exec(line))
    .find((match) => match !== null);
  return { settings, columns, draws, samplingSeconds: Number(time?.[1]) };
}
