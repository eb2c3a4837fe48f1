import { existsSync } from 'node:fs';
import { basename, dirname, relative, resolve } from 'node:path';
import { identityOf } from '../../../driver/hello.js';
import { ThermolinkError } from '../../../errors.js';
import { replaceFile } from '../../../files/replace-file.js';
import { counted } from '../../../number-text.js';
import { openTrace } from '../../../traces/open-trace.js';
import { recordedCalls } from '../../../traces/to-test/recorded-calls.js';
import { testSource } from '../../../traces/to-test/test-source.js';
import { defineCommand, printReport } from '../../command.js';
import { checkFiles } from '../../input/check-files.js';
import { JSON_OUTPUT } from '../../options/groups.js';
import { option } from '../../options/option.js';

const BESIDE = { kind: 'refused', why: 'the test refers to the recording by its path' } as const;
const OPTIONS = {
  out: option('--out <file>', 'the test file (default: FILE.test.ts beside the trace)', {
    file: 'output',
    dash: BESIDE,
  }),
  code: option('--code <module>', 'your own code, as the test imports it: ./solver.js or a package'),
  function: option('--function <name>', 'the function in it that takes the device', { default: 'default' }),
  ...JSON_OUTPUT,
};

export const command = defineCommand({
  arguments: [{ name: '<file>', help: 'a recorded session (MCAP)', file: 'input', dash: BESIDE }],
  options: OPTIONS,
  example: `
The test replays the session, so it needs no board. It asserts the outcome of each run and the mean voltages of its
first cells. Without --code it holds the recorded calls one by one; replace them by calls of your own code.

Examples:
  thermolink trace to-test session.mcap
  thermolink trace to-test session.mcap --code ./solver.js --function solveOnBoard --out solver.test.ts`,
  async run(options, _name, [file]) {
    const out = options.out ?? `${file.replace(/\.mcap$/, '')}.test.ts`;
    await checkFiles(OPTIONS, { ...options, out }, { '<file>': file });
    if (existsSync(out))
      throw new ThermolinkError('BAD_FILE', `${out} exists already and may hold your own work.`, {
        hint: 'Name another file, or remove it.',
        data: { out },
      });
    const name = options.function;
    const { source, calls } = await sourceOf(
      file,
      out,
      options.code === undefined ? undefined : { module: options.code, name },
    );
    replaceFile(out, source);
    const text = `wrote ${out}: ${counted(calls, 'call')}. Run it by \`npx vitest run ${basename(out)}\`.\n`;
    printReport({ json: { out, calls }, text }, options.json === true);
  },
});

async function sourceOf(file: string, out: string, code: { module: string; name: string } | undefined) {
  const trace = await openTrace(file);
  try {
    const calls = recordedCalls(trace.messages());
    for (const { name, kind, session, fields } of trace.messages()) {
      if (name !== 'hello' || kind !== 'answer' || session !== 1) continue;
      const path = relative(dirname(resolve(out)), resolve(file)).replaceAll('\\', '/');
      return {
        source: testSource({ trace: path, identity: identityOf(fields as never), calls, code }),
        calls: calls.length,
      };
    }
    throw new ThermolinkError('BAD_FILE', `${file} holds no session.`, {
      hint: 'Record one, for example by `thermolink ping --record session.mcap`.',
    });
  } finally {
    trace.close();
  }
}
