import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ThermolinkError } from '../../errors.js';

/** The four files of a data set. */
export interface DatasetFiles {
  readonly trainImages: string;
  readonly trainLabels: string;
  readonly testImages: string;
  readonly testLabels: string;
}

type Part = keyof DatasetFiles;

/** Facts about a file that its name tells. */
interface NamedFile {
  readonly name: string;
  readonly prefix: string;
  readonly part: Part;
  readonly isFolder: boolean;
}

/** Matches names such as `train-images-idx3-ubyte` or `emnist-letters-test-labels.idx1-ubyte.gz`. */
const NAME =
  /^(.+[-_.])?(train|t10k|test)-(?:(images)[-.]idx3|(labels)[-.]idx1)-(?:ubyte|byte|short|int|float|double)(?:\.gz)?$/;

/** The usual name of each part, for error messages. */
const USUAL_NAMES: DatasetFiles = {
  trainImages: 'train-images-idx3-ubyte',
  trainLabels: 'train-labels-idx1-ubyte',
  testImages: 't10k-images-idx3-ubyte',
  testLabels: 't10k-labels-idx1-ubyte',
};
const PARTS = Object.keys(USUAL_NAMES) as readonly Part[];

/**
 * Finds the files of a data set in a directory by their names. All four may have the same prefix, such as
 * `emnist-letters-`. If a folder has the name of a file, the file is searched inside it.
 *
 * Errors: BAD_DATASET if there is no such directory, no file for a part, or several data sets; BAD_FILE for a
 * folder that has the name of a file and holds no such file.
 */
export function findDatasetFiles(directory: string): DatasetFiles {
  const found = namedFiles(directory);
  const prefixes = [...new Set(found.map(({ prefix }) => prefix))];
  const isComplete = (prefix: string): boolean =>
    PARTS.every((part) => found.some((file) => file.prefix === prefix && file.part === part));
  const complete = prefixes.filter(isComplete);
  // Files without a prefix come first. If several prefixes are complete, nothing tells which data set is
  // meant.
  const prefix = complete.find((name) => name === '') ?? complete[0] ?? prefixes[0] ?? '';
  if (complete.length > 1 && prefix !== '')
    throw badDirectory(
      `${directory} holds several data sets: ${complete.map((name) => `${name}…`).join(', ')}.`,
      directory,
      'Put the files of each data set into a directory of its own.',
    );
  const pathOf = (part: Part): string => {
    const [best] = found.filter((file) => file.prefix === prefix && file.part === part);
    if (best === undefined) {
      const others = `.idx in place of -idx, test in place of t10k, and .gz at the end are allowed too`;
      throw badDirectory(`${directory} holds no ${prefix}${USUAL_NAMES[part]} (${others}).`, directory);
    }
    const path = join(directory, best.name);
    return best.isFolder ? fileInFolder(path, part) : path;
  };
  return {
    trainImages: pathOf('trainImages'),
    trainLabels: pathOf('trainLabels'),
    testImages: pathOf('testImages'),
    testLabels: pathOf('testLabels'),
  };
}

/** All entries of the directory that are named like a part of a data set, best first. */
function namedFiles(directory: string): NamedFile[] {
  const files = entriesOf(directory).flatMap((name): NamedFile[] => {
    const [match, prefix = '', set, images] = NAME.exec(name) ?? [];
    if (match === undefined) return [];
    const isFolder = statSync(join(directory, name), { throwIfNoEntry: false })?.isDirectory() ?? false;
    const kind = images === undefined ? 'Labels' : 'Images';
    return [{ name, prefix, part: `${set === 'train' ? 'train' : 'test'}${kind}`, isFolder }];
  });
  const order = ({ name, isFolder }: NamedFile): string =>
    [isFolder, name.includes('.idx'), name.endsWith('.gz'), !name.includes('t10k'), name].join();
  return files.sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

function entriesOf(directory: string): string[] {
  const status = statSync(directory, { throwIfNoEntry: false });
  if (status === undefined) throw badDirectory(`There is no directory ${directory}.`, directory);
  if (!status.isDirectory())
    throw new ThermolinkError('BAD_DATASET', `${directory} is not a directory.`, {
      hint: 'Images need a directory of IDX files. For a table give `label`, the name of the column with its labels.',
      data: { directory },
    });
  return readdirSync(directory);
}

function fileInFolder(folder: string, part: Part): string {
  const inside = namedFiles(folder).find((file) => file.part === part && !file.isFolder);
  if (inside !== undefined) return join(folder, inside.name);
  throw new ThermolinkError('BAD_FILE', `${folder} is a directory and holds no ${USUAL_NAMES[part]}.`, {
    hint: 'Put the file itself in its place.',
    data: { file: folder },
  });
}

function badDirectory(message: string, directory: string, hint?: string): ThermolinkError {
  return new ThermolinkError('BAD_DATASET', message, {
    hint:
      hint ??
      `A data set is a directory with ${PARTS.map((part) => USUAL_NAMES[part]).join(', ')}, plain or gzipped.`,
    data: { directory },
  });
}
