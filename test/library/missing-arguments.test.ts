import { expect, it } from 'vitest';
import * as volts from '../../src/board/volts.js';
import { ThermolinkError } from '../../src/errors.js';
import * as files from '../../src/files/index.js';
import * as core from '../../src/index.js';
import * as train from '../../src/learning/index.js';
import * as measure from '../../src/measure/index.js';
import * as serve from '../../src/serve/index.js';
import * as transport from '../../src/transport/index.js';
import type { Anything } from '../support/refusals.js';

/** The functions of the entries that use boards or files, and of the conversion of volts. */
const FUNCTIONS = Object.entries({
  ...core,
  ...files,
  ...measure,
  ...serve,
  ...train,
  ...transport,
  ...volts,
})
  .filter((entry): entry is [string, Anything] => typeof entry[1] === 'function')
  .map(([name, called]) => ({ name, called }));

/** Functions that need no argument. */
const WITHOUT_ARGUMENTS: ReadonlySet<string> = new Set([
  ...['createCholeskySolver', 'createIdealSampler', 'createNoSolver', 'stopBoardsOnExit'],
  ...['listSerialPorts', 'memoryPortPair', 'openPty'],
  ...['burgersPinn', 'heatPinn', 'poissonPinn'],
]);
/** Classes that no caller makes: `Device.open` makes devices, and the library throws errors. */
const NOT_FOR_CALLERS: ReadonlySet<string> = new Set(['Device', 'ThermolinkError']);

const isClass = (called: object): boolean => /^class\b/.test(Function.prototype.toString.call(called));

it.each(FUNCTIONS.filter(({ name }) => !WITHOUT_ARGUMENTS.has(name) && !NOT_FOR_CALLERS.has(name)))(
  '$name without its arguments is refused',
  async ({ called }) => {
    const call = async (): Promise<unknown> => (isClass(called) ? new called() : called());
    const error = await call().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ThermolinkError);
    expect((error as ThermolinkError).code).toBe('BAD_ARGUMENT');
    expect((error as ThermolinkError).message).toMatch(/ is missing; it must be /);
  },
);
