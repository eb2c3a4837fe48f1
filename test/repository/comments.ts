import { parseSync } from 'vite';
import { readRepositoryFile } from './files.js';

/** Matches comments of C. It also matches texts, in which comment marks mean nothing. */
const C = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g;
const PYTHON = /#[^\n]*|"""[\s\S]*?"""|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g;

interface Range {
  readonly start: number;
  readonly end: number;
}

/** The text of a source file with everything outside comments blanked. Lines and columns stay. */
export function commentsOnly(file: string): string {
  const source = readRepositoryFile(file);
  const texts: string[] = [];
  let from = 0;
  for (const { start, end } of commentsOf(file, source)) {
    texts.push(blank(source.slice(from, start)), source.slice(start, end));
    from = end;
  }
  return texts.join('') + blank(source.slice(from));
}

function commentsOf(file: string, source: string): readonly Range[] {
  // Templates within templates and quotes in regular expressions need a parser.
  if (/\.(tsx?|mjs)$/.test(file)) return parseSync(file, source).comments;
  if (file.endsWith('.lua')) return matchesOf(/^[ \t]*--[^\n]*/gm, source);
  if (/(Makefile|\.mk|\.sh|\.ya?ml|\.ci\/run)$/.test(file)) return matchesOf(/^[ \t]*#[^\n]*/gm, source);
  const isPython = file.endsWith('.py');
  return [...source.matchAll(isPython ? PYTHON : C)].flatMap(({ 0: token, index }) => {
    const isAlone = source.slice(source.lastIndexOf('\n', index) + 1, index).trim() === '';
    const isComment = isPython
      ? token[0] === '#' || (token.startsWith('"""') && isAlone)
      : /^\/[/*]/.test(token);
    return isComment ? [{ start: index, end: index + token.length }] : [];
  });
}

function matchesOf(pattern: RegExp, source: string): readonly Range[] {
  return [...source.matchAll(pattern)].map(({ 0: token, index }) => ({
    start: index,
    end: index + token.length,
  }));
}

const blank = (text: string): string => text.replace(/[^\n]/g, ' ');
