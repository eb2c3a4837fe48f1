import { readRepositoryFile } from './files.js';

/** Matches comments of the C family. It also matches texts, in which comment marks mean nothing. */
const C_FAMILY = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g;
const PYTHON = /#[^\n]*|"""[\s\S]*?"""|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g;

/** The text of a source file with everything outside comments blanked. Lines and columns stay. */
export function commentsOnly(file: string): string {
  const source = readRepositoryFile(file);
  const isPython = file.endsWith('.py');
  const comments: string[] = [];
  let from = 0;
  for (const { 0: token, index } of source.matchAll(isPython ? PYTHON : C_FAMILY)) {
    const isAlone = source.slice(source.lastIndexOf('\n', index) + 1, index).trim() === '';
    const isComment = isPython
      ? token[0] === '#' || (token.startsWith('"""') && isAlone)
      : /^\/[/*]/.test(token);
    comments.push(blank(source.slice(from, index)), isComment ? token : blank(token));
    from = index + token.length;
  }
  return comments.join('') + blank(source.slice(from));
}

const blank = (text: string): string => text.replace(/[^\n]/g, ' ');
