import { DELAY } from './delay.js';
import { ERROR_MITIGATION } from './error-mitigation.js';
import { LINEAR_ALGEBRA } from './linear-algebra.js';
import { MNIST } from './mnist.js';
import { NOISE } from './noise.js';
import { PRECISION } from './precision.js';
import { RUNTIME } from './runtime.js';
import { SENSITIVITY } from './sensitivity.js';
import { SETTLING } from './settling.js';
import { STUDIES } from './studies.js';
import type { StudyResults } from './study-results.js';
import type { TableResults } from './table/table-report.js';
import type { Claim, TableStudy } from './table/table-study.js';
import { trainingClaims } from './training-claims.js';
import { WHERE_CURVATURE_HELPS } from './where-curvature-helps.js';

/** The folder of the data. The npm package contains the page, but not the data. */
const DATA = 'https://github.com/thermolink/thermolink/blob/main/docs/results';

/** Every study that is tables of runs. */
export const TABLE_STUDIES: readonly TableStudy[] = [
  ...[WHERE_CURVATURE_HELPS, SETTLING, DELAY, NOISE, MNIST, RUNTIME],
  ...[LINEAR_ALGEBRA, ERROR_MITIGATION, PRECISION, SENSITIVITY],
];

/** The order of the page: studies in which the board wins come first, then the claims of papers. */
export const STUDY_NAMES: readonly string[] = [
  ...Object.keys(STUDIES),
  ...TABLE_STUDIES.map(({ name }) => name),
];

/** The content of results.json of any study. */
export type AnyResults = StudyResults | TableResults;

/** The claims that results support, computed anew from their runs. */
export function claimsOf(results: AnyResults): readonly Claim[] {
  if ('tasks' in results) return trainingClaims(results);
  const study = TABLE_STUDIES.find(({ name }) => name === results.study);
  if (study === undefined) throw new Error(`bug: no study ${results.study}`);
  return study.claims(results.runs, results.options);
}

/** Tables of claims in Markdown, a section for each study, in the order of `STUDY_NAMES`. */
export function resultsMarkdown(all: readonly AnyResults[]): string {
  return STUDY_NAMES.flatMap((name) => all.filter(({ study }) => study === name))
    .map(sectionOf)
    .join('\n\n');
}

function sectionOf(results: AnyResults): string {
  const { study, title, quick, seeds, versions } = results;
  const rows = claimsOf(results).map(({ claim, paper, ours, how, verdict }) =>
    [claim, paper, ours, how, `**${verdict}**`].map(cell).join(' | '),
  );
  const command = `npx thermolink study ${study}${quick ? ' --quick' : ''} --seeds ${seeds.length}`;
  const form = quick ? 'The quick form: small sizes, so its verdicts are hints. ' : '';
  return [
    `## ${title}`,
    '',
    `${form}Command: \`${command}\`. Data: [${study}.json](${DATA}/${study}.json), ${seeds.length === 1 ? 'seed' : 'seeds'} ${seeds.join(', ')}, thermolink ${versions.thermolink}, Node ${versions.node}.`,
    '',
    '| claim | the paper’s figure | ours | how | verdict |',
    '| --- | --- | --- | --- | --- |',
    ...rows.map((row) => `| ${row} |`),
  ].join('\n');
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
