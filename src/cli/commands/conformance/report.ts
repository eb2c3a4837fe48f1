import { counted } from '../../../number-text.js';
import { formatTable } from '../../output/table.js';
import type { ClauseResult } from './check-board.js';

/** The output about a board that was checked. */
export interface ConformanceReport {
  readonly device: string;
  readonly board: { readonly model: string; readonly serialNumber: string; readonly firmwareVersion: string };
  readonly protocol: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly clauses: readonly ClauseResult[];
  /** Rules that no check can see, by id, and why. */
  readonly unchecked: Readonly<Record<string, string>>;
}

/** The report for people. Measured times are left out, so that two reports can be compared. */
export function reportText(report: ConformanceReport): string {
  const { device, board, protocol, clauses, unchecked, passed, failed, skipped } = report;
  const rows = clauses.map(({ id, status, what, reason }) => [
    id,
    status,
    status === 'passed' ? what : `${reason ?? ''} (${what})`,
  ]);
  const without = Object.entries(unchecked).map(([id, reason]) => [id, 'not checked', reason]);
  const head = `${board.model}, firmware ${board.firmwareVersion}, at ${device}: protocol ${protocol}\n`;
  const sum = `${passed} passed, ${failed} failed, ${skipped} skipped, ${counted(without.length, 'rule')} that no check can see\n`;
  return `${head}${formatTable([...rows, ...without])}${sum}`;
}

/** The report as JUnit XML, as servers of continuous integration read it. */
export function reportXml(report: ConformanceReport): string {
  const { device, protocol, clauses, unchecked, failed, skipped } = report;
  const cases = clauses.map(({ id, what, status, reason = '', seconds }) => {
    const open = `  <testcase classname="protocol" name="${escaped(`${id} ${what}`)}" time="${seconds.toFixed(3)}"`;
    if (status === 'passed') return `${open}/>`;
    const tag = status === 'failed' ? 'failure' : 'skipped';
    return `${open}>\n    <${tag} message="${escaped(reason)}"/>\n  </testcase>`;
  });
  const others = Object.entries(unchecked).map(
    ([id, reason]) =>
      `  <testcase classname="protocol" name="${escaped(id)}" time="0">\n    <skipped message="${escaped(`not checked: ${reason}`)}"/>\n  </testcase>`,
  );
  const seconds = clauses.reduce((sum, clause) => sum + clause.seconds, 0);
  const counts = `tests="${cases.length + others.length}" failures="${failed}" errors="0" skipped="${skipped + others.length}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite name="${escaped(`protocol ${protocol} of ${device}`)}" ${counts} time="${seconds.toFixed(3)}">`,
    ...cases,
    ...others,
    '</testsuite>',
    '',
  ].join('\n');
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those are forbidden in XML.
const FORBIDDEN = /[\x00-\x08\x0B\x0C\x0E-\x1F\uFFFE\uFFFF]/g;

function escaped(text: string): string {
  return text
    .replace(FORBIDDEN, '\uFFFD')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;');
}
