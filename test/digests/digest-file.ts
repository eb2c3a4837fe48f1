import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Problem } from '../reference-firmware/problems.js';
import { ROOT } from '../repository/files.js';

const FILE = path.join(ROOT, 'firmware-protocol/vectors/digests.json');

/** A problem as the file has it. */
export interface DigestCase extends Problem {
  /** Lines of `commit`, `ticks` and `digest`, in the order in which the orders ask for them. */
  readonly prints: readonly string[];
}

const ABOUT =
  'Problems for implementations of the device model. Orders as firmware-protocol/reference-firmware/tools/digest.c explains ' +
  'them; prints: what commit, ticks and digest must print. Written by npm run digests -- --write.';

/**
 * The printed lines that the file holds. States and readings are left out: they are long, and the digest
 * covers them.
 */
export function filed(lines: readonly string[]): string[] {
  return lines.filter((line) => /^(commit|ticks|digest) /.test(line));
}

export function readDigestFile(): readonly DigestCase[] {
  return (JSON.parse(readFileSync(FILE, 'utf8')) as { cases: DigestCase[] }).cases;
}

/** One line per case, so a difference between two versions is readable. */
export function renderDigestFile(cases: readonly DigestCase[]): string {
  const lines = cases.map(({ name, orders, prints }) => JSON.stringify({ name, orders, prints }));
  return `{"about":${JSON.stringify(ABOUT)},\n"cases":[\n${lines.join(',\n')}\n]}\n`;
}

export function writeDigestFile(cases: readonly DigestCase[]): void {
  writeFileSync(FILE, renderDigestFile(cases));
}
