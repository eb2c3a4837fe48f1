import { formatCount, formatExact } from '../../../number-text.js';
import { escapeXml } from '../../../plot/svg.js';
import { COLUMNS, findingsOf, methodNotes, rowsOf } from './findings.js';
import type { MethodResult, StudyResults, TaskResult } from './study-results.js';

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; line-height: 1.25; } h2 { margin-top: 2.5rem; border-bottom: 1px solid #ccc; } h3 { font-size: 1rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: 0.875rem; margin: 1rem 0; }
th, td { padding: 0.3rem 0.7rem; text-align: left; border-bottom: 1px solid #e2e2e2; vertical-align: top; }
td.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
tr.board td { background: #eef4fb; font-weight: 600; }
svg { max-width: 100%; height: auto; } code { font-size: 0.875em; }
`;

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
    list(methodNotes(results)),
    '<h2>What was run</h2>',
    `<p><code>${escapeXml(command)}</code></p>`,
    table(['', ''], runFacts(results)),
    `<p>${escapeXml(results.settingsFrom)}</p>`,
    ...tasks.map(settingsSection),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeXml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${body.join('\n')}
</body>
</html>
`;
}

function taskSection(task: TaskResult, picture: string): string {
  const rows = rowsOf(task);
  return [
    `<h2>${escapeXml(task.title)}</h2>`,
    `<p>${formatCount(task.parameterCount)} parameters; the factor of the curvature has ${formatCount(task.curvatureRows)} rows.</p>`,
    list(findingsOf(task)),
    table(COLUMNS, rows, 'board'),
    picture.replace(/^<\?xml[^>]*>\s*/, ''),
  ].join('\n');
}

function runFacts({ seeds, versions, board }: StudyResults): string[][] {
  const { uri, ...facts } = board;
  return [
    ['seeds', seeds.join(', ')],
    ['thermolink', versions.thermolink],
    ['Node', `${versions.node}, ${versions.platform}`],
    ['board', uri],
    ...Object.entries(facts).map(([name, value]) => [`board: ${name}`, String(value)]),
  ];
}

function settingsSection({ title, problem, methods }: TaskResult): string {
  return [
    `<h3>Settings: ${escapeXml(title)}</h3>`,
    `<p><code>${escapeXml(JSON.stringify(problem))}</code></p>`,
    table(
      ['method', 'what it is', 'optimizer', 'options'],
      methods.map((method) => [method.name, method.meaning, method.optimizer, optionsText(method)]),
    ),
  ].join('\n');
}

function optionsText({ options, steps }: MethodResult): string {
  const written = Object.entries(options).map(
    ([name, value]) => `${name} ${typeof value === 'number' ? formatExact(value) : String(value)}`,
  );
  return [`steps ${formatCount(steps)}`, ...written].join(', ');
}

function list(lines: readonly string[]): string {
  return `<ul>\n${lines.map((line) => `<li>${escapeXml(line)}</li>`).join('\n')}\n</ul>`;
}

/** A table whose first row has the class `firstClass`. Cells that begin with a digit are numbers. */
function table(header: readonly string[], rows: readonly (readonly string[])[], firstClass?: string): string {
  const head = header.some((cell) => cell !== '')
    ? `<thead><tr>${header.map((cell) => `<th>${escapeXml(cell)}</th>`).join('')}</tr></thead>\n`
    : '';
  const lines = rows.map((row, index) => {
    const attribute = index === 0 && firstClass !== undefined ? ` class="${firstClass}"` : '';
    const cells = row.map((cell) =>
      /^[\d×]/.test(cell) ? `<td class="number">${escapeXml(cell)}</td>` : `<td>${escapeXml(cell)}</td>`,
    );
    return `<tr${attribute}>${cells.join('')}</tr>`;
  });
  return `<div class="scroll"><table>\n${head}<tbody>\n${lines.join('\n')}\n</tbody></table></div>`;
}
