import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { badFile, FILE_BYTES_MAX, type InputFile, readAll, unpackedFile } from './input-file.js';

/**
 * The content of a gzip file, in memory. Errors: `BAD_FILE` for a damaged file and for one that holds more
 * than `FILE_BYTES_MAX` bytes.
 */
export async function gunzipped(file: InputFile): Promise<InputFile> {
  const { path } = file;
  try {
    const bytes = await promisify(gunzip)(await readAll(file), { maxOutputLength: FILE_BYTES_MAX });
    return unpackedFile(path, bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(path);
    throw badFile(path, `${path} is a damaged gzip file.`, 'Compress the array again.', error);
  }
}

/**
 * One array of a .npz file, in memory: the one that `member` names, or the only one. Checksums are checked.
 * Errors: `BAD_FILE` for a damaged file, for a sparse matrix, and if the array is missing or the caller must
 * name it.
 */
export async function npzMember(file: InputFile, member: string | undefined): Promise<InputFile> {
  const { path } = file;
  const { configure, Uint8ArrayReader, Uint8ArrayWriter, ZipReader } = await import('@zip.js/zip.js');
  configure({ useWebWorkers: false });
  const damaged = (error: unknown) =>
    badFile(path, `${path} is a damaged zip file.`, 'Write it again with numpy.savez(path, A=A).', error);
  const reader = new ZipReader(new Uint8ArrayReader(await readAll(file)), { checkSignature: true });
  const entries = await reader.getEntries().catch((error: unknown) => {
    throw damaged(error);
  });
  if (entries.some(({ filename }) => SPREADSHEET_MEMBER.test(filename)))
    throw badFile(
      path,
      `${path} is a file of a spreadsheet, which is not read.`,
      'Export the sheet as text (.csv).',
    );
  const names = entries.map(({ filename }) => filename.replace(/\.npy$/, ''));
  const wanted = chooseMember(path, names, member);
  const entry = entries[names.indexOf(wanted)];
  if (entry.directory || entry.uncompressedSize > FILE_BYTES_MAX) throw tooLarge(path);
  const bytes = await entry.getData(new Uint8ArrayWriter()).catch((error: unknown) => {
    throw damaged(error);
  });
  return unpackedFile(`${path}:${wanted}`, bytes);
}

/** Files that .xlsx and .ods hold. */
const SPREADSHEET_MEMBER = /^(?:\[Content_Types\]\.xml|META-INF\/manifest\.xml)$/;

function chooseMember(path: string, names: readonly string[], member: string | undefined): string {
  const list = names.slice(0, 12).join(', ') + (names.length > 12 ? ', …' : '');
  if (member === undefined && names.includes('indptr') && names.includes('indices'))
    throw badFile(
      path,
      `${path} holds a sparse matrix of SciPy, which is not read.`,
      `Convert it: python3 -c "import numpy, scipy.sparse as s; numpy.save('A.npy', s.load_npz('A.npz').toarray())".`,
    );
  if (member === undefined && names.length === 1) return names[0];
  if (member !== undefined && names.includes(member)) return member;
  if (names.length === 0)
    throw badFile(path, `${path} holds no array.`, 'Write it again with numpy.savez(path, A=A).');
  const what = member === undefined ? `holds ${names.length} arrays` : `holds no array ${member}`;
  throw badFile(path, `${path} ${what}; there is ${list}.`, `Name one: ${path}:${names[0]}.`);
}

function tooLarge(path: string) {
  return badFile(
    path,
    `${path} holds more than the ${FILE_BYTES_MAX} bytes (2 GiB) that are read.`,
    'Use a smaller matrix.',
  );
}
