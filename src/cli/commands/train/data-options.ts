import { ThermolinkError } from '../../../errors.js';
import type { DatasetSource } from '../../../learning/data/dataset.js';
import { option } from '../../options/option.js';
import { u32 } from '../../options/values.js';

/** Which examples a classifier sees. */
export const DATA_OPTIONS = {
  data: option('--data <path>', 'a directory of IDX files, or a table with --label, instead of MNIST', {
    file: 'input',
    libraryName: "kind: 'directory'",
  }),
  label: option('--label <column>', 'the column of the table that holds the class of each row'),
  splitSeed: option('--split-seed <s>', 'chooses the fifth of a table’s rows that is kept for the test', {
    value: u32,
  }),
};

/** Examples as a command line asks for them. */
export interface DataPlan {
  /** A directory of IDX files, or a table; default MNIST. */
  readonly data?: string | undefined;
  readonly label?: string | undefined;
  readonly splitSeed?: number | undefined;
}

/** The data that the options name. Errors: BAD_ARGUMENT for options of a table if no table is given. */
export function datasetSourceOf({ data, label, splitSeed }: DataPlan): DatasetSource {
  if (label !== undefined) {
    if (data === undefined)
      throw new ThermolinkError('BAD_ARGUMENT', '--label names a column of a table, but no table is given.', {
        hint: 'Name the table by --data.',
      });
    return { kind: 'table', file: data, label, ...(splitSeed === undefined ? {} : { splitSeed }) };
  }
  if (splitSeed !== undefined)
    throw new ThermolinkError('BAD_ARGUMENT', '--split-seed splits a table, but no table is given.', {
      hint: 'Name the table by --data and its labels by --label.',
    });
  return data === undefined ? { kind: 'mnist' } : { kind: 'directory', directory: data };
}
