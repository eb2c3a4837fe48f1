/** The stream for the results, and the names in the results of the files behind `-`. */

/** Whether standard output holds the content of a file. */
let isTaken = false;
const names = new Map<string, string>();

/** From now on reports go to standard error, because standard output holds the content of a file. */
export function takeStandardOutput(): void {
  isTaken = true;
}

/** From now on texts call the file at `path` by `name`. */
export function callFile(path: string, name: string): void {
  names.set(path, name);
}

/** Frees the standard output again. In results, files are called by their paths again. */
export function releaseStandardStreams(): void {
  isTaken = false;
  names.clear();
}

/** The stream for reports. */
export function reportStream(): NodeJS.WriteStream {
  return isTaken ? process.stderr : process.stdout;
}

/** The text with `standard input` in the place of the path of the file that holds it. */
export function withStreamNames(text: string): string {
  let named = text;
  for (const [path, name] of names) named = named.replaceAll(path, name);
  return named;
}

/** The same for a value of JSON. `JSON.stringify` calls it. */
export function streamNameInJson(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? withStreamNames(value) : value;
}
