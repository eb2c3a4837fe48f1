import { describe, expect, it } from 'vitest';
import { codeOnly, readRepositoryFile, repositoryFiles } from './files.js';

const FLOAT_LITERAL = /(?<![\w$.])(?:\d[\d_]*\.\d*|\.\d+|\d[\d_]*(?:\.\d*)?e[+-]?\d+)(?![\w$])/i;
const EXACT_MATH = new Set(['floor', 'imul', 'clz32', 'abs', 'min', 'max']);

function offences(source: string): string[] {
  return codeOnly(source)
    .split('\n')
    .flatMap((line, i) => {
      const found: string[] = [];
      if (FLOAT_LITERAL.test(line)) found.push(`line ${i + 1}: float literal`);
      if (line.includes('**')) found.push(`line ${i + 1}: **`);
      for (const [, name] of line.matchAll(/\bMath\.(\w+)/g))
        if (!EXACT_MATH.has(name)) found.push(`line ${i + 1}: Math.${name}`);
      return found;
    });
}

describe('the device and the contract compute in integers', () => {
  it.each([
    'const a = 0.5;',
    'const a = 1e-8;',
    'const a = .25;',
    'const a = 2 ** k;',
    'const a = Math.sqrt(2);',
    'const a = 1.;',
  ])('the check sees %s', (line) => {
    expect(offences(line)).toHaveLength(1);
  });

  it('the check allows comments, texts and integers', () => {
    expect(
      offences("const a = 0x1e5; // 0.5\nconst b = '1.5'; const c = x.y[3].z; Math.floor(7 / 2);"),
    ).toEqual([]);
  });

  it.each(repositoryFiles(/^(emulator|firmware-protocol)\/.*\.ts$/))('%s', (file) => {
    expect(offences(readRepositoryFile(file))).toEqual([]);
  });
});
