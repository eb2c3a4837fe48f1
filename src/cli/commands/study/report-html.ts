import { formatCount, formatExact } from '../../../number-text.js';
import { escapeXml } from '../../../plot/svg.js';
import { limitRows, sizeRows } from '../info/board-rows.js';
import { COLUMNS, findingsOf, methodNotes, rowsOf, searchRows, searchSentences } from './findings.js';
import { htmlPage, listMarkup, pictureMarkup, tableMarkup } from './html-page.js';
import type { MethodResult, StudyResults, TaskResult } from './study-results.js';

/**
 * The report as one HTML document without scripts and without references to anything outside. `pictures` are
 * SVG documents, one for each task.
 */
export function reportHtml(results: StudyResults, pictures: readonly string[], command: string): string {
  const { title, error, quick, tasks } = results;
  const body = [
    `<h1>${escapeXml(title)}</h1>`,
    `<p>Error means ${escapeXml(error)}.</p>`,
    ...(quick ? ['<p><strong>Quick study.</strong> It shows that the study runs, not who wins.</p>'] : []),
    ...tasks.map((task, index) => taskSection(task, pictures[index])),
    '<h2>How to read this</h2>',
    listMarkup(methodNotes(results)),
    '<h2>What was run</h2>',
    `<p><code>${escapeXml(command)}</code></p>`,
    tableMarkup(['', ''], runFacts(results)),
    `<p>${escapeXml(results.settingsFrom)}</p>`,
    ...tasks.map(settingsSection),
  ];
  return htmlPage(title, body);
}

function taskSection(task: TaskResult, picture: string): string {
  const rows = rowsOf(task);
  return [
    `<h2>${escapeXml(task.title)}</h2>`,
    `<p>${formatCount(task.parameterCount)} parameters; the factor of the curvature has ${formatCount(task.curvatureRows)} rows.</p>`,
    listMarkup(findingsOf(task)),
    tableMarkup(COLUMNS, rows, 'board'),
    pictureMarkup(picture),
  ].join('\n');
}

function runFacts({ seeds, versions, board }: StudyResults): string[][] {
  return [
    ['seeds', seeds.join(', ')],
    ['thermolink', versions.thermolink],
    ['Node', `${versions.node}, ${versions.platform}`],
    ['board', board.uri],
    ['board: model', board.model],
    ['board: firmware', board.firmwareVersion],
    ...[...sizeRows(board), ...limitRows(board)].map(([name, value]) => [`board: ${name}`, value]),
  ];
}

function settingsSection(task: TaskResult): string {
  const { title, problem, methods } = task;
  const searched = searchRows(task);
  return [
    `<h3>Settings: ${escapeXml(title)}</h3>`,
    `<p><code>${escapeXml(JSON.stringify(problem))}</code></p>`,
    tableMarkup(
      ['method', 'what it is', 'optimizer', 'options'],
      methods.map((method) => [method.name, method.meaning, method.optimizer, optionsText(method)]),
    ),
    ...(searched.length === 0
      ? []
      : [
          listMarkup(searchSentences(task)),
          tableMarkup(
            ['method', 'setting', 'values with the largest error over the seeds of the search', 'taken'],
            searched,
          ),
        ]),
  ].join('\n');
}

function optionsText({ options, steps }: MethodResult): string {
  const written = Object.entries(options).map(
    ([name, value]) => `${name} ${typeof value === 'number' ? formatExact(value) : String(value)}`,
  );
  return [`steps ${formatCount(steps)}`, ...written].join(', ');
}
