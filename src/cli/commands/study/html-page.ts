import { escapeXml } from '../../../plot/svg.js';

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; line-height: 1.25; } h2 { margin-top: 2.5rem; border-bottom: 1px solid #ccc; } h3 { font-size: 1rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: 0.875rem; margin: 1rem 0; }
th, td { padding: 0.3rem 0.7rem; text-align: left; border-bottom: 1px solid #e2e2e2; vertical-align: top; }
td.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; } th.number { text-align: right; }
tr.board td { background: #eef4fb; font-weight: 600; }
svg { max-width: 100%; height: auto; } code { font-size: 0.875em; }
`;

/** One HTML document without scripts and without references to anything outside. `parts` are markup. */
export function htmlPage(title: string, parts: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeXml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${parts.join('\n')}
</body>
</html>
`;
}

/** A picture as a part of a page: SVG without its XML declaration. */
export function pictureMarkup(svg: string): string {
  return svg.replace(/^<\?xml[^>]*>\s*/, '');
}

export function listMarkup(lines: readonly string[]): string {
  return `<ul>\n${lines.map((line) => `<li>${escapeXml(line)}</li>`).join('\n')}\n</ul>`;
}

/** A cell of a column of numbers: it begins with a digit, or is a dash for a missing number. */
const NUMBER = /^[\d×–-]/;

/**
 * A table whose first row has the class `firstClass`. A column is aligned to the right, with its title, if
 * all its cells are numbers or dashes.
 */
export function tableMarkup(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  firstClass?: string,
): string {
  const isNumeric = header.map(
    (_, column) =>
      rows.some((row) => /^[\d×-]/.test(row[column] ?? '')) &&
      rows.every((row) => (row[column] ?? '') === '' || NUMBER.test(row[column])),
  );
  const cell = (tag: 'th' | 'td', text: string, column: number): string =>
    `<${tag}${isNumeric[column] ? ' class="number"' : ''}>${escapeXml(text)}</${tag}>`;
  const head = header.some((text) => text !== '')
    ? `<thead><tr>${header.map((text, column) => cell('th', text, column)).join('')}</tr></thead>\n`
    : '';
  const lines = rows.map((row, index) => {
    const attribute = index === 0 && firstClass !== undefined ? ` class="${firstClass}"` : '';
    return `<tr${attribute}>${row.map((text, column) => cell('td', text, column)).join('')}</tr>`;
  });
  return `<div class="scroll"><table>\n${head}<tbody>\n${lines.join('\n')}\n</tbody></table></div>`;
}
