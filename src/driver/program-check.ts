import { CELLS_MAX, COUPLING_BITS_MAX, COUPLING_BITS_MIN } from '../../firmware-protocol/limits.js';
import { PROGRAM_MODE, type ProgramImage } from '../../firmware-protocol/program-image.js';
import { badArgument, checkArray, checkObject, checkWhole } from '../argument-checks.js';
import { ThermolinkError } from '../errors.js';

/** What a register holds at most; which values a board takes is its own to say. */
const U32_MAX = 2 ** 32 - 1;

/** Refuses a bank that no board has, or an image whose parts are of the wrong kind or do not fit each other: BAD_ARGUMENT. */
export function checkProgram(bank: number, image: ProgramImage, banks: number): void {
  checkWhole('bank', bank, 0, banks - 1);
  checkObject('The program image', image, '{ mode: 0, cells: 8, rows: 8, couplings: new Int16Array(64), … }');
  const { mode, cells, rows, couplingBits, couplings, drive, initialState } = image;
  if (!Object.values(PROGRAM_MODE).includes(mode))
    throw badArgument('image.mode', mode, '0 (dense) or 1 (factored)');
  checkWhole('image.cells', cells, 1, CELLS_MAX);
  checkWhole('image.rows', rows, 1, CELLS_MAX);
  checkWhole('image.couplingBits', couplingBits, COUPLING_BITS_MIN, COUPLING_BITS_MAX);
  for (const name of ['rowAttenuation', 'damping', 'noiseAmplitude', 'noiseShift'] as const)
    checkWhole(`image.${name}`, image[name], 0, U32_MAX);
  checkArray('image.couplings', couplings, couplingBits <= 8 ? 'Int8Array' : 'Int16Array');
  checkArray('image.drive', drive, 'Int16Array');
  checkArray('image.initialState', initialState, 'Int16Array');
  checkLength('image.couplings', couplings.length, rows * cells, 'rows × cells');
  checkLength('image.drive', drive.length, cells, 'one for each cell');
  checkLength('image.initialState', initialState.length, cells, 'one for each cell');
}

function checkLength(name: string, length: number, wanted: number, why: string): void {
  if (length === wanted) return;
  throw new ThermolinkError('BAD_ARGUMENT', `${name} has ${length} codes; it must have ${wanted}: ${why}.`, {
    data: { argument: name, length, wanted },
  });
}
