import { compareMessages } from './compare-messages.js';
import { breaks, describeFinding, type Finding } from './finding.js';
import { type FrozenMessage, type FrozenTables, isDraft } from './frozen-tables.js';

/** The present tables, with the version in the sources. */
export interface CurrentTables {
  readonly major: number;
  readonly minor: number;
  readonly tableHash: string;
  readonly messages: readonly FrozenMessage[];
}

export interface Verdict {
  readonly ok: boolean;
  readonly findings: readonly Finding[];
  /** For people: every edit by name, then what to do. */
  readonly text: string;
}

const version = ({ major, minor }: { readonly major: number; readonly minor: number }) => `${major}.${minor}`;

/** The line that a decision record must have. It makes every change of the wire a written decision. */
export function recordLine(current: CurrentTables): string {
  return `Tables: ${version(current)}, hash \`${current.tableHash}\`.`;
}

const HOW_TO_FREEZE =
  'npm run protocol:freeze -- --decision docs/decisions/NNNN-title.md, where the record says why and has the line\n  ';

/**
 * Whether the present tables are allowed. If the copy is a draft (major 0, or a candidate), no difference is
 * allowed: a change needs a new copy and a record. If the copy is a release, a difference must be an addition
 * with a higher minor version, or come with a higher major version. The copy then stays, and is written again
 * when that version is released.
 *
 * @param record text of the decision record that the copy names, undefined when there is none
 */
export function checkAgainstFrozen(
  frozen: FrozenTables,
  current: CurrentTables,
  record: string | undefined,
): Verdict {
  const findings = compareMessages(frozen.messages, current.messages);
  const problems = [
    ...problemsOfCopy(frozen, current, findings, record),
    ...(isDraft(frozen) ? problemsOfDraft : problemsOfRelease)(frozen, current, findings),
  ];
  const described = findings.map(describeFinding);
  const ok = problems.length === 0;
  const summary = ok
    ? `the message tables ${version(current)} agree with the copy frozen as ${frozen.label} by ${frozen.decision}${
        findings.length > 0
          ? `, except for additions; freeze them when ${version(current)} is released: ${HOW_TO_FREEZE}${recordLine(current)}`
          : ''
      }`
    : problems.join('\n');
  return { ok, findings, text: [...described, summary].join('\n') };
}

function problemsOfCopy(
  frozen: FrozenTables,
  current: CurrentTables,
  findings: readonly Finding[],
  record: string | undefined,
): string[] {
  const problems: string[] = [];
  if (record === undefined) problems.push(`the decision record ${frozen.decision} does not exist`);
  else if (!record.includes(frozen.tableHash))
    problems.push(
      `the decision record ${frozen.decision} does not name the frozen table hash ${frozen.tableHash}`,
    );
  if (findings.length === 0 && frozen.tableHash !== current.tableHash)
    problems.push(
      `no edit is seen, yet the table hash was ${frozen.tableHash} and is ${current.tableHash}: the copy was edited by hand, or the comparison overlooks something`,
    );
  return problems;
}

function problemsOfDraft(
  frozen: FrozenTables,
  current: CurrentTables,
  findings: readonly Finding[],
): string[] {
  if (findings.length === 0 && version(frozen) === version(current)) return [];
  const what = findings.length > 0 ? 'the message tables were edited' : `the version is ${version(current)}`;
  return [
    `${what}, and the frozen copy is of ${frozen.label}. It is a draft, so they may change, but as a decision:\n  ${HOW_TO_FREEZE}${recordLine(current)}`,
  ];
}

function problemsOfRelease(
  frozen: FrozenTables,
  current: CurrentTables,
  findings: readonly Finding[],
): string[] {
  const problems: string[] = [];
  const breaking = findings.filter(breaks);
  if (breaking.some(({ forEver }) => forEver))
    problems.push('the beginning of HELLO is frozen for ever: undo these edits');
  if (current.major > frozen.major) return problems;
  if (current.major < frozen.major || current.minor < frozen.minor)
    problems.push(`the version went back from ${version(frozen)} to ${version(current)}`);
  if (breaking.length > 0)
    problems.push(
      `${breaking.length} of these edits break ${frozen.label}: undo them, or make a new major version, which no device or host of today will speak`,
    );
  else if (findings.length > 0 && current.minor <= frozen.minor)
    problems.push(
      `${frozen.label} has only what its copy has: additions need PROTOCOL_MINOR = ${frozen.minor + 1} in firmware-protocol/version.ts`,
    );
  return problems;
}

/**
 * The reason why the copy must not be written again as `label`, or undefined. A draft may change in any way;
 * a release may only grow.
 */
export function refusalToFreeze(
  frozen: FrozenTables | undefined,
  current: CurrentTables,
  label: string,
  record: string | undefined,
): string | undefined {
  if (label !== version(current) && !label.startsWith(`${version(current)}-`))
    return `the label ${label} is not of version ${version(current)}, which firmware-protocol/version.ts states`;
  if (frozen && !isDraft(frozen)) {
    const findings = compareMessages(frozen.messages, current.messages);
    const problems = problemsOfRelease(frozen, current, findings);
    if (version(frozen) === version(current) && label !== frozen.label)
      problems.push(`${frozen.label} is released: it cannot become ${label}`);
    if (problems.length > 0) return [...findings.map(describeFinding), ...problems].join('\n');
  }
  if (record === undefined) return `a decision record is needed: ${HOW_TO_FREEZE}${recordLine(current)}`;
  if (!record.includes(recordLine(current)))
    return `the decision record lacks the line\n  ${recordLine(current)}`;
  return undefined;
}
