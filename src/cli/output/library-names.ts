import { ThermolinkError } from '../../errors.js';
import { longFlag, type OptionSpec, type OptionSpecs } from '../options/option.js';

/** `field` or `field: value` in backticks; of `address.seed` the last name counts. */
const NAMED = /`(?:[a-z]\w*\.)*([a-z]\w*)(?:: ([^`]*))?`/g;

/**
 * `text` of the library with its field names as options of the command: "lower `trainSize`" becomes "lower --train-size",
 * "`initial: 'keep'`" becomes "--x0 keep". Whatever is no field of these options stays as it is.
 */
export function withFlags(text: string, options: OptionSpecs): string {
  return text.replace(NAMED, (named, field: string, value: string | undefined) => {
    const inFull = Object.values(options).find(({ libraryName }) => named === `\`${libraryName}\``);
    if (inFull !== undefined) return longFlag(inFull);
    if (!Object.hasOwn(options, field)) return named;
    return value === undefined ? longFlag(options[field]) : flagWithValue(options[field], value);
  });
}

function flagWithValue(spec: OptionSpec<unknown>, value: string): string {
  const flag = longFlag(spec);
  return value === 'true' || value === 'false' ? flag : `${flag} ${value.replace(/^'(.*)'$/, '$1')}`;
}

/** An error of the library as the command line reports it: the same, with flags in message and hint. */
export function withFlagsInError(error: unknown, options: OptionSpecs): unknown {
  if (!(error instanceof ThermolinkError)) return error;
  const { code, cause, hint, retryable, data } = error;
  const message = withFlags(namedArgument(error), options);
  return new ThermolinkError(code, message, {
    cause,
    hint: hint === undefined ? undefined : withFlags(hint, options),
    retryable,
    data,
  });
}

/** The message, whose first words may be the name of a field without backticks: argument-checks.ts begins so. */
function namedArgument({ message, data }: ThermolinkError): string {
  const { argument } = data;
  if (typeof argument !== 'string' || !message.startsWith(`${argument} `)) return message;
  return `\`${argument}\`${message.slice(argument.length)}`;
}
