import { ThermolinkError } from '../../../errors.js';

export interface Ending {
  readonly json: boolean;
  /** What `--json` prints. */
  readonly result: unknown;
  /** What is printed otherwise, before and after the drawing. */
  readonly text: string;
  readonly textAfter: string;
  /** Throws when the drawing fails. */
  readonly draw: () => void;
}

/**
 * Prints the result of a training and draws it, so that a figure that can't be written loses none of it: the text comes
 * first. With `--json` there is one document on standard output, so an error of the drawing carries `data.result` instead.
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
