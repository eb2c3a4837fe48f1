import { ERROR_CODES, type ErrorCodeEntry } from '../../src/errors.js';

/** The generated part of docs/reference/errors.md: one chapter per code, so that a code can be linked to. */
export function errorsMarkdown(): string {
  return Object.entries<ErrorCodeEntry>(ERROR_CODES)
    .map(([code, { meaning, causes, remedy }]) =>
      [
        `### ${code}`,
        `${meaning[0].toUpperCase()}${meaning.slice(1)}.`,
        ['Likely causes:', ...causes.map((cause) => `- ${cause}`)].join('\n'),
        `What to do: ${remedy}`,
      ].join('\n\n'),
    )
    .join('\n\n');
}
