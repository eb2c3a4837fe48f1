import { ThermolinkError } from '../../../errors.js';

export interface Ending {
  readonly json: boolean;
  /** The value that `--json` prints. */
  readonly result: unknown;
  /** The text that is printed without `--json`, before and after the drawing. */
  readonly text: string;
  readonly textAfter: string;
  /** Throws when the drawing fails. */
  readonly draw: () => void;
}

/**
 * Prints the result of a training and draws it. The text comes first, so that it is not lost when the figure
 * can't be written. With `--json` only one document may be printed, so then the error of the drawing has the
 * result in `data.result`.
 */
export function printAndDraw({ json, result, text, textAfter, draw }: Ending): void {
  if (!json) {
    process.stdout.write(text);
    draw();
    process.stdout.write(textAfter);
    return;
  }
  try {
    draw();
  } catch (error) {
    if (!(error instanceof ThermolinkError)) throw error;
    const { code, message, cause, hint, data } = error;
    throw new ThermolinkError(code, message, {
      cause,
      ...(hint === undefined ? {} : { hint }),
      data: { ...data, result },
    });
  }
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
