import { counted, formatCount } from '../../../../number-text.js';
import { figure } from '../../../../plot/figure.js';
import { escapeXml } from '../../../../plot/svg.js';
import { formatTable } from '../../../output/table.js';
import { VERSION } from '../../../version.js';
import { htmlPage, listMarkup, pictureMarkup, tableMarkup } from '../html-page.js';
import { partTable } from './groups.js';
import type { Claim, Scale, StudyOptions, TableRun, TableStudy, TextTable } from './table-study.js';

/** The content of results.json of a study that is tables of runs. */
export interface TableResults {
  readonly study: string;
  readonly title: string;
  readonly quick: boolean;
  readonly seeds: readonly number[];
  readonly options: StudyOptions;
  readonly board?: string;
  readonly versions: { readonly thermolink: string; readonly node: string; readonly platform: string };
  readonly claims: readonly Claim[];
  readonly runs: readonly TableRun[];
}

/** The results of a study, as data. */
export function tableResults(
  study: TableStudy,
  { quick, seeds }: Scale,
  facts: { readonly runs: readonly TableRun[]; readonly options: StudyOptions; readonly board?: string },
): TableResults {
  const { runs, options, board } = facts;
  return {
    ...{ study: study.name, title: study.title, quick, seeds, options },
    ...(board === undefined ? {} : { board }),
    versions: {
      thermolink: VERSION,
      node: process.versions.node,
      platform: `${process.platform} ${process.arch}`,
    },
    claims: study.claims(runs, options),
    runs,
  };
}

/** All tables: those of the runs, then those of a model. */
function tablesOf(study: TableStudy, { runs, options }: TableResults): TextTable[] {
  return [
    ...study.parts.map((part) => partTable(part, runs)).filter(({ rows }) => rows.length > 0),
    ...(study.modelTables?.(runs, options) ?? []),
  ];
}

/** One sentence of a claim for people: what holds, by which figures. */
const claimText = ({ claim, ours, verdict }: Claim): string => `${claim} ${capital(verdict)}. ${ours}`;

const capital = (text: string): string => text[0].toUpperCase() + text.slice(1);

/** The tables and claims for a terminal. */
export function tableText(study: TableStudy, results: TableResults): string {
  const tables = tablesOf(study, results).map(({ title, header, rows }) => {
    const align = header.map((_, column) => (isNumeric(rows, column) ? 'right' : 'left'));
    return `${title}\n${formatTable(rows, { header, align })}\n`;
  });
  const claims = results.claims.map((claim) => `  ${claimText(claim)}\n`).join('');
  const spread = results.seeds.length > 1 ? ': means with [least, largest]' : '';
  const first = `${study.title}, ${counted(results.seeds.length, 'seed')}${spread}\n\n`;
  return `${first}${tables.join('')}${claims}${results.quick ? '  This is the quick form: it shows that the study runs, not what holds.\n' : ''}\n`;
}

const isNumeric = (rows: readonly (readonly string[])[], column: number): boolean =>
  rows.every((row) => /^[-\d–]/.test(row[column] ?? '–') || row[column]?.startsWith('failed'));

/** The picture of a study. */
export function tablePicture(study: TableStudy, { runs, options }: TableResults): string {
  return figure(study.charts(runs, options), { title: study.title });
}

/** The report as one HTML document. */
export function tableHtml(
  study: TableStudy,
  results: TableResults,
  picture: string,
  command: string,
): string {
  const { title, about, settingsFrom, modelled } = study;
  const { quick, seeds, claims, versions, board, runs } = results;
  return htmlPage(title, [
    `<h1>${escapeXml(title)}</h1>`,
    ...about.map((sentence) => `<p>${escapeXml(sentence)}</p>`),
    ...(quick ? ['<p><strong>Quick study.</strong> It shows that the study runs, not what holds.</p>'] : []),
    '<h2>What came out</h2>',
    tableMarkup(
      ['claim', 'in the paper', 'here', 'how', 'verdict'],
      claims.map(({ claim, paper, ours, how, verdict }) => [claim, paper, ours, how, verdict]),
    ),
    pictureMarkup(picture),
    ...tablesOf(study, results).flatMap((one) => [
      `<h2>${escapeXml(one.title)}</h2>`,
      tableMarkup(one.header, one.rows),
    ]),
    '<h2>How to read this</h2>',
    listMarkup([
      seeds.length === 1
        ? `Figures are those of the one seed ${seeds[0]}, on which no settings were chosen. One seed shows no spread.`
        : `Figures are means over the seeds ${seeds.join(', ')} with [least, largest]: geometric means of what is above 0. Settings were never chosen on these seeds.`,
      modelled,
      settingsFrom,
    ]),
    '<h2>What was run</h2>',
    `<p><code>${escapeXml(command)}</code>, ${escapeXml(counted(runs.length, 'run'))}</p>`,
    tableMarkup(
      ['', ''],
      [
        ['seeds', seeds.join(', ')],
        ...(board === undefined ? [] : [['board', board]]),
        ['thermolink', versions.thermolink],
        ['Node', `${versions.node}, ${versions.platform}`],
        ['runs that failed', formatCount(runs.filter(({ failure }) => failure !== undefined).length)],
      ],
    ),
  ]);
}
