import { ThermolinkError } from '../../errors.js';
import { longFlag, type OptionSpec, type OptionSpecs } from '../options/option.js';
import { streamNameInJson, withStreamNames } from './report-stream.js';

/** Matches `field` and `field: value` in backticks. For `address.seed` it takes the last name. */
const NAMED = /`(?:[a-z]\w*\.)*([a-z]\w*)(?:: ([^`]*))?`/g;

/**
 * Replaces the names of fields in a text of the library by the options of the command. "lower `trainSize`"
 * becomes "lower --train-size", and "`initial: 'keep'`" becomes "--x0 keep". A name that is not an option
 * stays.
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

/** The error as the command line reports it: with flags in its message and its hint. */
export function withFlagsInError(error: unknown, options: OptionSpecs): unknown {
  if (!(error instanceof ThermolinkError)) return error;
  const { code, cause, hint, retryable, data } = error;
  const message = withStreamNames(withFlags(namedArgument(error), options));
  return new ThermolinkError(code, message, {
    cause,
    hint: hint === undefined ? undefined : withStreamNames(withFlags(hint, options)),
    retryable,
    data: withStreamNamesIn(data),
  });
}

function withStreamNamesIn(data: ThermolinkError['data']): ThermolinkError['data'] {
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [name, streamNameInJson(name, value)]),
  );
}

/**
 * The message with backticks around the name that it begins with. argument-checks.ts writes no backticks
 * there.
 */
function namedArgument({ message, data }: ThermolinkError): string {
  const { argument } = data;
  if (typeof argument !== 'string' || !message.startsWith(`${argument} `)) return message;
  return `\`${argument}\`${message.slice(argument.length)}`;
}
