import { expect, test } from 'vitest';
import { ARM_IMPLEMENTATIONS } from '../digests/arm-implementations.js';
import { compare } from '../digests/comparison.js';
import { readDigestFile } from '../digests/digest-file.js';

test.for(ARM_IMPLEMENTATIONS)('state digests of the fixed problems: $name', (implementation) => {
  const cases = readDigestFile();
  const verdict = compare(implementation, cases);
  expect(verdict).toMatchObject({ missing: undefined, differing: [], matched: cases.length - 1 });
  expect(verdict.leftOut).toHaveLength(1);
});
