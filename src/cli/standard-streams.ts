import { createReadStream, createWriteStream, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { ThermolinkError } from '../errors.js';
import { FILE_BYTES_MAX } from '../files/input-file.js';
import {
  type ArgumentDefinition,
  type DashMeaning,
  dashMeaning,
  isDash,
  longFlag,
  type OptionSpecs,
} from './options/option.js';
import { withInterrupt } from './output/interrupt.js';
import { callFile, releaseStandardStreams, takeStandardOutput } from './output/report-stream.js';

/** Formats that a terminal can show. */
const TEXT_FORMATS: ReadonlySet<string> = new Set([
  '.csv',
  '.tsv',
  '.txt',
  '.json',
  '.jsonl',
  '.svg',
  '.xml',
]);

/** The values of the options of a command line, and its words. */
export interface GivenLine {
  readonly values: Readonly<Record<string, unknown>>;
  readonly words: readonly string[];
}

/** The streams of the process. Tests give others. */
export interface StandardStreams {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean };
}

/** A place in a command line where `-` stands. */
interface Dash {
  /** `--matrix` or `<file>`. */
  readonly name: string;
  readonly text: string;
  readonly meaning: DashMeaning;
  /** The same line with a path in the place of `-`. */
  readonly replace: (line: GivenLine, path: string) => GivenLine;
}

/**
 * Runs a command with files in the place of `-`. One file holds all of standard input. The content of another
 * one goes to standard output when the command ends, even if the command fails after it has written the file.
 * Standard input is read to its end first, without a deadline; Ctrl-C ends the reading. The files lie in a
 * folder of the temporary directory that no other user can read, and are removed.
 *
 * Errors: BAD_ARGUMENT if two inputs or two outputs are `-`, if `-` can't be a stream, if `--json` and an
 * output `-` are given together, and for bytes that a terminal can't show; BAD_FILE for more than
 * `FILE_BYTES_MAX` bytes; ABORTED.
 */
export async function withStandardStreams(
  specs: OptionSpecs,
  definitions: readonly ArgumentDefinition[],
  line: GivenLine,
  run: (line: GivenLine) => Promise<void>,
  streams: StandardStreams = process,
): Promise<void> {
  const dashes = dashesIn(specs, definitions, line);
  if (dashes.length === 0) return run(line);
  const input = only(dashes, 'input');
  const output = only(dashes, 'output');
  const extension = output && checkedExtension(output, line, streams);
  const directory = mkdtempSync(join(tmpdir(), 'thermolink-'));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  // If the reader of standard output closes it, the process ends at once.
  process.once('exit', remove);
  try {
    let changed = line;
    if (input !== undefined) {
      const path = join(directory, 'standard-input');
      callFile(path, 'standard input');
      await withInterrupt((signal) => store(input.name, path, streams, signal));
      changed = input.replace(changed, path);
    }
    if (output === undefined) await run(changed);
    else {
      const path = join(directory, `standard-output${extension}`);
      callFile(path, 'standard output');
      takeStandardOutput();
      try {
        await run(output.replace(changed, path));
      } finally {
        if (existsSync(path)) await send(path, streams);
      }
    }
  } finally {
    process.off('exit', remove);
    releaseStandardStreams();
    remove();
  }
}

function dashesIn(
  specs: OptionSpecs,
  definitions: readonly ArgumentDefinition[],
  { values, words }: GivenLine,
): Dash[] {
  const inOptions = Object.entries(specs).flatMap(([field, spec]): Dash[] => {
    const text = values[field];
    return spec.file === undefined || !isDash(text)
      ? []
      : [
          {
            name: longFlag(spec),
            text,
            meaning: dashMeaning(spec),
            replace: (line, path) => ({ ...line, values: { ...line.values, [field]: path } }),
          },
        ];
  });
  const inWords = definitions.flatMap(({ name, file, dash = { kind: 'input' } }, at): Dash[] =>
    file === undefined || words[at] !== '-'
      ? []
      : [
          {
            name,
            text: '-',
            meaning: dash,
            replace: (line, path) => ({ ...line, words: line.words.with(at, path) }),
          },
        ],
  );
  return [...inOptions, ...inWords];
}

/** The only place of `-` of this kind; undefined if there is no such place. */
function only(dashes: readonly Dash[], kind: 'input' | 'output'): Dash | undefined {
  for (const { name, text, meaning } of dashes)
    if (meaning.kind === 'input' && text !== '-')
      throw new ThermolinkError(
        'BAD_ARGUMENT',
        `${name} can't be ${text}: the format of an input follows from its content.`,
        {
          hint: `Use - alone; ./${text} is a file of that name.`,
        },
      );
    else if (meaning.kind === 'refused')
      throw new ThermolinkError('BAD_ARGUMENT', `${name} can't be -: ${meaning.why}.`, {
        hint: 'Name a file; ./- is a file with the name -.',
      });
  const [first, second] = dashes.filter(({ meaning }) => meaning.kind === kind);
  if (second !== undefined)
    throw new ThermolinkError(
      'BAD_ARGUMENT',
      `${first.name} and ${second.name} are both -, and there is one standard ${kind}.`,
      { hint: 'Name a file for one of them.' },
    );
  return first;
}

/** The format of the standard output: the extension of a file name. */
function checkedExtension(
  { name, text, meaning }: Dash,
  { values }: GivenLine,
  { stdout }: StandardStreams,
): string {
  if (values['json'] === true)
    throw new ThermolinkError('BAD_ARGUMENT', `--json and ${name} - both write to standard output.`, {
      hint: `Leave one of them out, or name a file by ${name}.`,
    });
  const all = meaning.kind === 'output' ? meaning.extensions(values) : [];
  // The command itself reports the missing option.
  if (all.length === 0) return '';
  const extension = text === '-' ? all[0] : text.slice(1).toLowerCase();
  if (!all.includes(extension))
    throw new ThermolinkError('BAD_ARGUMENT', `${name} - is not written as ${extension}.`, {
      hint: `Use - alone, which is ${all[0]}${
        all.length > 1
          ? `, or ${all
              .slice(1)
              .map((each) => `-${each}`)
              .join(', ')}`
          : ''
      }.`,
    });
  if (stdout.isTTY && !TEXT_FORMATS.has(extension))
    throw new ThermolinkError('BAD_ARGUMENT', `${name} ${text} would print bytes on the terminal.`, {
      hint: 'Send standard output to a file or to another program, or name a file.',
    });
  return extension;
}

async function store(
  name: string,
  path: string,
  { stdin }: StandardStreams,
  signal: AbortSignal,
): Promise<void> {
  if (stdin.isTTY) process.stderr.write(`${name} is read from the terminal until Ctrl-D.\n`);
  let bytes = 0;
  async function* bounded(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > FILE_BYTES_MAX)
        throw new ThermolinkError('BAD_FILE', 'Standard input holds more than 2 GiB.', {
          hint: 'Use a smaller file.',
          data: { path: '-' },
        });
      yield chunk;
    }
  }
  await pipeline(stdin, bounded, createWriteStream(path, { mode: 0o600 }), { signal });
}

/** Copies the file to standard output as fast as its reader takes it. */
async function send(path: string, { stdout }: StandardStreams): Promise<void> {
  const content = createReadStream(path);
  // `pipeline` would close standard output.
  content.on('data', (chunk) => {
    if (stdout.write(chunk)) return;
    content.pause();
    stdout.once('drain', () => content.resume());
  });
  await finished(content);
}
