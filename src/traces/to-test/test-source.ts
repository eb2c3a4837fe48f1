import { badArgument } from '../../argument-checks.js';
import type { DeviceIdentity } from '../../driver/device-api.js';
import { ThermolinkError } from '../../errors.js';
import { counted } from '../../number-text.js';
import type { RecordedCall, RecordedRun } from './recorded-calls.js';

/** The input for a test file. */
export interface TestSourceOptions {
  /** Path of the trace, relative to the test, with slashes. */
  readonly trace: string;
  readonly identity: DeviceIdentity;
  readonly calls: readonly RecordedCall[];
  /** The module with the code of the user, as the test imports it, and the name of its function. */
  readonly code?: { readonly module: string; readonly name: string } | undefined;
}

/** Largest number of calls of a session. A test with more is not readable. */
const CALLS_MAX = 200;
/** Number of cells whose means are asserted for each run. */
const CELLS_SHOWN = 4;
/** Longest options on one line. Longer options are written with one option per line. */
const OPTIONS_LINE_MAX = 72;
/** Decimal places of voltages. They can be exact, because a replay gives the same bits. */
const VOLT_DIGITS = 9;

/**
 * The text of a vitest file that replays a trace. Texts from the file are written only as string literals, so
 * they cannot become code.
 *
 * Errors: TOO_LARGE for more than 200 calls; BAD_ARGUMENT if the name of the function is not an identifier.
 */
export function testSource({ trace, identity, calls, code }: TestSourceOptions): string {
  if (!code && calls.length > CALLS_MAX)
    throw new ThermolinkError('TOO_LARGE', `The session has ${counted(calls.length, 'call')}.`, {
      hint: `A test of more than ${CALLS_MAX} calls is not readable. Name your own code (field code), or record less.`,
    });
  const runs = calls.filter((call): call is RecordedRun => call.kind === 'run');
  const title = `${identity.model}, ${identity.serialNumber}: ${counted(runs.length, 'run')}`;
  const url = encodeURI(trace).replace(/[?#]/g, encodeURIComponent);
  return `${[
    '// Written by `thermolink trace to-test`; yours to change.',
    ...(code ? codeImports(code) : imports(calls)),
    '',
    `const TRACE = new URL(${literal(url.startsWith('.') ? url : `./${url}`)}, import.meta.url);`,
    '',
    ...(code ? [] : [...sessionFunction(calls), '']),
    `test(${literal(title)}, async () => {`,
    '  const device = await replayed(TRACE);',
    '  expect(device.identity).toMatchObject({',
    `    model: ${literal(identity.model)},`,
    `    serialNumber: ${literal(identity.serialNumber)},`,
    `    cells: ${identity.cells},`,
    '  });',
    ...(code ? codeAssertions() : assertions(runs, identity)),
    '});',
  ].join('\n')}\n`;
}

function literal(text: string): string {
  // Some tools treat Unicode line separators as line ends, even within a literal.
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (separator) => `\\u${separator.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function imports(calls: readonly RecordedCall[]): string[] {
  const hasPrograms = calls.some((call) => 'image' in call);
  const hasMeans = calls.some((call) => call.kind === 'run' && showsMeans(call));
  const names = [
    ...(hasMeans ? ['meanVolts'] : []),
    ...(hasPrograms ? ['recordedPrograms'] : []),
    'replayed',
  ];
  return [
    "import type { Device } from 'thermolink';",
    `import { ${names.join(', ')} } from 'thermolink/testing';`,
    "import { expect, test } from 'vitest';",
  ];
}

function codeImports({ module, name }: { readonly module: string; readonly name: string }): string[] {
  if (!/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name)) throw badArgument('function', name, 'a name');
  const what = name === 'default' ? 'session' : `{ ${name} as session }`;
  return [
    "import { replayed } from 'thermolink/testing';",
    "import { expect, test } from 'vitest';",
    `import ${what} from ${literal(module)};`,
  ];
}

function codeAssertions(): string[] {
  return [
    '  // The replay fails where your code asks for something else than was recorded.',
    '  const result = await session(device);',
    '  // The first run of this test writes here what your code returns.',
    '  expect(result).toMatchInlineSnapshot();',
  ];
}

/** The recorded calls, one per line, in a function. Users replace it by their own code. */
function sessionFunction(calls: readonly RecordedCall[]): string[] {
  const lines = [
    '/**',
    ' * What the host did with the board. Put your own code here: the test fails where it asks for something',
    ' * else than was recorded.',
    ' */',
    'async function session(device: Device) {',
  ];
  const programs = calls.filter((call) => 'image' in call);
  if (programs.length > 0) lines.push('  const programs = await recordedPrograms(TRACE);');
  const names: string[] = [];
  let pending: string | undefined;
  const settle = (): void => {
    if (pending !== undefined) lines.push(`  const ${pending} = await ${pending}Started;`);
    pending = undefined;
  };
  for (const call of calls) {
    if ('image' in call) {
      const image = `programs[${programs.indexOf(call)}]`;
      lines.push(statement(`device.${call.kind}(${call.bank}, ${image})`, call.isRefused));
    } else if (call.kind !== 'run') lines.push(statement(`device.${call.kind}()`, call.isRefused));
    else {
      settle();
      const name = `run${names.length + 1}`;
      const acquire = `device.acquire(${optionsText(call)})`;
      if (call.isRefused) {
        lines.push(statement(acquire, true));
        continue;
      }
      if (isCutShort(call)) lines.push(...cutShort(name, call));
      else if (call.overlapped) {
        lines.push(`  const ${name}Started = ${acquire};`);
        pending = name;
      } else lines.push(`  const ${name} = await ${acquire};`);
      names.push(name);
    }
  }
  settle();
  return [...lines, `  return { ${names.join(', ')} };`, '}'];
}

function statement(call: string, isRefused: boolean): string {
  return isRefused
    ? `  await expect(${call}).rejects.toMatchObject({ code: 'DEVICE_REFUSED' });`
    : `  await ${call};`;
}

/** A run that the host ended early: the test stops reading its blocks. */
function cutShort(name: string, call: RecordedRun): string[] {
  return [
    `  const ${name} = await device.run(${optionsText(call)});`,
    `  // It was ended after ${counted(call.samples.samples, 'sample')}.`,
    `  for await (const block of ${name}.blocks) if (block.firstSample + block.sampleCount >= ${call.samples.samples}) break;`,
  ];
}

function isCutShort({ outcome }: RecordedRun): boolean {
  return outcome !== 'completed' && outcome !== 'overload';
}

function optionsText({ options }: RecordedRun): string {
  const fields = Object.entries(options).map(
    ([name, value]) => `${name}: ${typeof value === 'string' ? `'${value}'` : value}`,
  );
  const line = `{ ${fields.join(', ')} }`;
  return line.length <= OPTIONS_LINE_MAX
    ? line
    : `{\n${fields.map((field) => `    ${field},\n`).join('')}  }`;
}

function showsMeans(run: RecordedRun): boolean {
  return !run.isRefused && !isCutShort(run) && run.samples.wholeSamples > 0;
}

/** The assertions about the results of the runs. */
function assertions(runs: readonly RecordedRun[], identity: DeviceIdentity): string[] {
  const made = runs.filter(({ isRefused }) => !isRefused);
  if (made.length === 0) return ['  await session(device);'];
  const names = made.map((_, index) => `run${index + 1}`);
  return [
    `  const { ${names.join(', ')} } = await session(device);`,
    ...made.flatMap((run, index) => ['', ...runAssertions(run, names[index], identity)]),
  ];
}

function runAssertions(run: RecordedRun, name: string, identity: DeviceIdentity): string[] {
  const { samples, outcome } = run;
  if (isCutShort(run))
    return outcome === undefined
      ? [`  // The recording ends during ${name}.`]
      : [`  expect((await ${name}.finished).outcome).toBe('${outcome}');`];
  const lines = [
    `  // ${counted(samples.wholeSamples, 'sample')} of ${counted(samples.cells, 'cell')}`,
    `  expect(${name}.report).toMatchObject({ outcome: '${outcome}', samplesTaken: ${samples.wholeSamples} });`,
  ];
  if (!showsMeans(run)) return lines;
  const shown = Math.min(CELLS_SHOWN, samples.cells);
  lines.push(`  const mean${name.slice(3)} = meanVolts(${name}, device);`);
  for (let cell = 0; cell < shown; cell++)
    lines.push(
      `  expect(mean${name.slice(3)}[${cell}]).toBeCloseTo(${meanVoltage(run, cell, identity)}, ${VOLT_DIGITS});`,
    );
  return lines;
}

/** The mean over the samples, in volts, as `meanVolts` gives it. */
function meanVoltage({ samples }: RecordedRun, cell: number, identity: DeviceIdentity): string {
  let [sum, count] = [0, 0];
  for (let sample = 0; sample < samples.samples; sample++) {
    if (!samples.isWhole(sample)) continue;
    sum += samples.row(sample)[cell];
    count++;
  }
  const volts = (sum / count) * 2 ** (2 - identity.adcBits) * identity.fullScaleMicrovolts * 1e-6;
  return String(Number(volts.toFixed(VOLT_DIGITS + 1)));
}
