import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../cli/support/temporary-files.js';
import { runCommand } from '../support/command-line.js';
import { fewDigits } from '../support/few-digits.js';
import { observe, withHub } from './shared-board.js';

const directory = temporaryDirectory();
const digits = fewDigits();

it('a training on a shared board has the bits of a training on a local board, and observers see its curves', {
  tags: 'long',
}, async () => {
  const train = async (name: string, device: string): Promise<readonly { readonly loss: number }[]> => {
    const out = path.join(directory, name);
    const size = ['--data', digits, '--train-size', '256', '--seed', '3'];
    const { exitCode, stdout } = await runCommand(
      ...['train', 'mnist', ...size, '--json', '--out', out, '--device', device],
    );
    expect(exitCode, stdout).toBe(0);
    const lines = readFileSync(path.join(out, 'metrics.jsonl'), 'utf8').trimEnd().split('\n');
    return lines.map((line) => ({ ...JSON.parse(line), timing: undefined }));
  };
  const direct = await train('direct', 'emulator:ideal-crossbar?die=5');
  await withHub(
    async (hub) => {
      const observer = await observe(hub);
      expect(await train('shared', hub.uri())).toEqual(direct);
      await observer.until((event) => event.type === 'note' && event.note.step === direct.length - 1);
      const losses = observer.events
        .filter((event) => event.type === 'note')
        .map(({ note }) => note.values['loss']);
      expect(losses).toEqual(direct.map(({ loss }) => loss));
    },
    { devices: [{ name: 'a', uri: 'emulator:ideal-crossbar?die=5' }] },
  );
});
