import { badArgument, checkArray, checkObject, checkWhole } from '../../argument-checks.js';
import { ThermolinkError } from '../../errors.js';
import type { Examples } from './contract.js';

interface Sizes {
  readonly inputCount: number;
  readonly outputCount: number;
  readonly parameterCount: number;
}

/** Throws BAD_ARGUMENT if the parameters are not a Float64Array of length P. */
export function checkParameters(parameters: Float64Array, { parameterCount }: Sizes): void {
  checkArray('parameters', parameters, 'Float64Array');
  checkLength('parameters', parameters.length, parameterCount, 'one for each parameter of the network');
}

/**
 * Throws BAD_ARGUMENT if the arrays of examples do not fit each other or the network, or if a label has no
 * output.
 */
export function checkExamples(examples: Examples, { inputCount, outputCount }: Sizes): void {
  checkObject('examples', examples, '{ count, inputs: Float32Array, labels: Uint8Array }');
  const { count, inputs, labels } = examples;
  checkWhole('examples.count', count, 1);
  checkArray('examples.inputs', inputs, 'Float32Array');
  checkArray('examples.labels', labels, 'Uint8Array');
  checkLength('examples.inputs', inputs.length, count * inputCount, `${inputCount} for each example`);
  checkLength('examples.labels', labels.length, count, 'one for each example');
  for (let e = 0; e < count; e++)
    if (labels[e] >= outputCount)
      throw badArgument(`examples.labels[${e}]`, labels[e], `below ${outputCount}, the number of classes`);
}

/** Throws BAD_ARGUMENT if the inputs are not a Float32Array of one or more whole examples. */
export function checkInputs(inputs: Float32Array, { inputCount }: Sizes): void {
  checkArray('inputs', inputs, 'Float32Array');
  const count = Math.max(1, Math.ceil(inputs.length / inputCount));
  checkLength('inputs', inputs.length, count * inputCount, `${inputCount} for each example`);
}

function checkLength(name: string, length: number, wanted: number, why: string): void {
  if (length === wanted) return;
  throw new ThermolinkError(
    'BAD_ARGUMENT',
    `${name} has ${length} numbers; it must have ${wanted}: ${why}.`,
    {
      data: { argument: name, length, wanted },
    },
  );
}
