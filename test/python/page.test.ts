import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { ROOT, readRepositoryFile } from '../repository/files.js';
import { missingPackage, runPython, serveBoard } from './package.js';

const PAGE = 'docs/how-to/python.md';
const SHOWN_URI = 'tcp://127.0.0.1:7000';
/** This line is printed between two blocks. It separates their outputs. */
const MARK = '=====';

/** A block of code, and the block of output that may follow it. */
const BLOCK = /```python\n([\s\S]*?)```(?:(\n\n```text\n)[\s\S]*?```)?/g;

describe('the page about Python', () => {
  beforeEach((context) => {
    const missing = missingPackage();
    context.skip(missing !== undefined, missing);
  });

  it('is a program that prints what the page shows (vitest -u writes it)', { tags: 'long' }, async () => {
    const page = readRepositoryFile(PAGE);
    const blocks = [...page.matchAll(BLOCK)].map(([, code]) => code);
    const uri = await serveBoard('ideal-8');
    const program = blocks.join(`\nprint("${MARK}")\n`).replaceAll(SHOWN_URI, uri);
    const { exitCode, stdout, stderr } = await runPython(['-'], { input: program });
    expect(exitCode, stderr).toBe(0);
    const printed = stdout.split(`${MARK}\n`);
    expect(printed).toHaveLength(blocks.length);
    let at = 0;
    const fresh = page.replace(BLOCK, (whole, code, shown) => {
      const output = printed[at++];
      if (shown === undefined) {
        expect(output).toBe('');
        return whole;
      }
      return `\`\`\`python\n${code}\`\`\`${shown}${output}\`\`\``;
    });
    await expect(fresh).toMatchFileSnapshot(path.join(ROOT, PAGE));
  });
});
