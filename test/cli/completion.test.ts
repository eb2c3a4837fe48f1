import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandEntry } from '../../src/cli/command.js';
import { COMMANDS } from '../../src/cli/commands.js';
import { longFlag } from '../../src/cli/options/option.js';
import { runCommand } from '../support/command-line.js';
import { hasProgram } from '../support/programs.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

/**
 * Loads the script and completes each line at its end. Returns the whole words that the shell offers for each
 * line.
 */
type Complete = (lines: readonly string[]) => string[][];

let directory: string;
const script = (shell: Shell): string => join(directory, `thermolink.${shell}`);
const results = (): string => join(directory, 'results');

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'thermolink-'));
  for (const shell of SHELLS) writeFileSync(script(shell), (await runCommand('completion', shell)).stdout);
  writeFileSync(join(directory, 'A matrix.csv'), '1\n');
});

afterAll(() => rmSync(directory, { recursive: true }));

function has(shell: Shell): boolean {
  // Paths in this shell differ from those of Node.
  if (process.platform === 'win32') return false;
  const found = hasProgram(shell);
  if (!found && process.env['CI']) throw new Error(`CI has no ${shell}: apt-get install ${shell}`);
  return found;
}

/** Runs a program of a shell. A program that hangs is killed. */
function runShell(shell: Shell, options: readonly string[], program: string): string {
  const file = join(directory, 'program');
  writeFileSync(file, program);
  const run = spawnSync(shell, [...options, file], { encoding: 'utf8', timeout: 60_000, cwd: directory });
  expect(run.error).toBeUndefined();
  expect(run.stderr).toBe('');
  return run.stdout;
}

/**
 * Reads the output of a shell, which has one word per line. A line with a dot ends the words of a command
 * line.
 */
function answersIn(text: string): string[][] {
  const answers: string[][] = [];
  let words: string[] = [];
  for (const line of text.split('\n').map((each) => each.trimEnd())) {
    if (line === '.') {
      answers.push([...new Set(words)].sort());
      words = [];
    } else if (line !== '') words.push(line);
  }
  return answers;
}

const single = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const COMPLETE: Readonly<Record<Shell, Complete>> = {
  bash(lines) {
    const calls = lines.map((line) => {
      // Readline cuts at blanks, ':' and '='.
      const words = line
        .split(/(?<!\\) +/)
        .flatMap((word) => (word === '' ? [''] : word.split(/([:=]+)/).filter((part) => part !== '')));
      return `complete_at ${single(line)} ${words.map(single).join(' ')}`;
    });
    const program = `source ${script('bash')}
complete_at() {
  COMP_LINE=$1 COMP_POINT=\${#1}
  COMP_WORDS=("\${@:2}") COMP_CWORD=$(($# - 2))
  _thermolink
  printf '%s\\n' "\${COMPREPLY[@]}" .
}
${calls.join('\n')}
`;
    // `compopt` works only while readline completes.
    return answersIn(
      runShell('bash', ['--norc', '--noprofile'], program.replace('source', 'compopt() { :; }\nsource')),
    );
  },
  fish(lines) {
    const calls = lines.map((line) => `complete -C ${single(line)} | string replace -r '\\t.*' ''; echo .`);
    return answersIn(runShell('fish', ['--no-config'], `source ${script('fish')}\n${calls.join('\n')}\n`));
  },
  /** The shell runs in a terminal, because zsh completes only there. `compadd` records its matches. */
  zsh(lines) {
    writeFileSync(results(), '');
    const setup = join(directory, 'setup.zsh');
    writeFileSync(
      setup,
      `PROMPT= RPROMPT=
setopt no_beep no_list_beep
bindkey -e
autoload -Uz compinit
compinit -D -u
source ${script('zsh')}
compadd() {
  local -a found
  if [[ " \${(pj: :)@[1,(i)--]} " == *' -'[OAD]' '* ]]; then builtin compadd "$@"; return; fi
  builtin compadd -O found "$@"
  if (( $#found )) print -rl -- $found >> ${results()}
  builtin compadd "$@"
}
ended() { print . >> ${results()}; BUFFER=; print -n 'EN''DED' }
zle -N ended
bindkey '^T' ended
: > ${results()}
print READY
`,
    );
    runShell(
      'zsh',
      ['-f'],
      `zmodload zsh/zpty
zpty terminal zsh -f -i
zpty -w terminal "source ${setup}"
zpty -r terminal text '*READY*'
for line in ${lines.map(single).join(' ')}; do
  zpty -w -n terminal "$line"$'\\t\\x14'
  zpty -r terminal text '*ENDED*'
done
zpty -d terminal
`,
    );
    return answersIn(readFileSync(results(), 'utf8'));
  },
};

const names = (group: string): string[] =>
  COMMANDS.flatMap((entry) =>
    entry.name === group && 'commands' in entry ? entry.commands.map(({ name }) => name) : [],
  ).sort();

describe.each(SHELLS)('completion in %s', (shell) => {
  // Each line costs zsh a tenth of a second.
  const tags = shell === 'zsh' ? 'long' : [];
  it.runIf(has(shell))('commands, options, words, files, folders and devices', { tags }, () => {
    const lines = [
      'thermolink tra',
      'thermolink train ',
      'thermolink solve --m',
      'thermolink solve --matrix A',
      'thermolink emulate --profile proto',
      'thermolink info --device emulator:ideal-',
      'thermolink info --device=emulator:ideal-8',
      'thermolink info --device t',
      'thermolink completion ',
      'thermolink trace info --json A',
      'thermolink solve --seed A',
      'thermolink info --device replay:A',
      'thermolink nothing ',
    ];
    const answers = COMPLETE[shell](lines).map((words) =>
      // Bash answers with the text after the last ':' or '='. The shell adds quotes.
      words.map((word) =>
        word
          .replace(/^--device=/, '')
          .replace(/^(?:emulator|replay):/, '')
          .replaceAll('\\', ''),
      ),
    );
    const ideal = ['1024', '256', '64', '8', 'crossbar'].map((cells) => `ideal-${cells}`).sort();
    const prototypes = ['1024', '256', '64', '8', 'crossbar'].map((cells) => `prototype-${cells}`).sort();
    expect(answers).toEqual([
      ['trace', 'train'],
      names('train'),
      ['--matrix'],
      ['A matrix.csv'],
      prototypes,
      ideal,
      ['ideal-8'],
      ['tcp://'],
      ['bash', 'fish', 'zsh'],
      ['A matrix.csv'],
      [],
      ['A matrix.csv'],
      expect.anything(),
    ]);
  });

  it.runIf(has(shell))('every command offers every option that it has', { tags: 'long' }, async () => {
    const commands: { words: string; entry: CommandEntry }[] = COMMANDS.flatMap((entry) =>
      'commands' in entry
        ? entry.commands.map((each) => ({ words: `${entry.name} ${each.name}`, entry: each }))
        : [{ words: entry.name, entry }],
    );
    const answers = COMPLETE[shell](commands.map(({ words }) => `thermolink ${words} --`));
    expect(answers).toHaveLength(commands.length);
    for (const [index, { words, entry }] of commands.entries()) {
      const { options } = (await entry.load()).command;
      const wanted = ['--help', ...Object.values(options).map(longFlag)].sort();
      expect(
        answers[index].map((flag) => flag.replace(/=$/, '')),
        words,
      ).toEqual([...new Set(wanted)]);
    }
  });
});

it('a shell that the command does not know is wrong usage', async () => {
  const { stderr, exitCode } = await runCommand('completion', 'csh');
  expect(stderr).toContain('bash, zsh, fish');
  expect(exitCode).toBe(2);
});
