import { homedir, hostname, userInfo } from 'node:os';
import { resolve, sep } from 'node:path';

/** Texts with fewer characters are not removed, because they may be common words. */
const LENGTH_MIN = 3;
/** Variables with such a name hold secrets. */
const SECRET_NAME = /token|secret|password|passwd|credential|auth|key/i;
const SECRET_LENGTH_MIN = 6;
/** The folder of a file in a device URI: of a recording, or in the value of any parameter. */
const FOLDER = /(=|replay:)([^?#&]*[/\\])/g;

/**
 * Removes private data from a text: the home directory, the working directory, the names of user and machine,
 * the values of variables of `environment` whose names say that they are secret, and the folders of the files
 * that the device URI names. The names of these files stay.
 */
export function redactor(environment: NodeJS.ProcessEnv = process.env, uri = ''): (text: string) => string {
  const replacements: [string, string][] = [
    ...foldersOf(uri).map((folder): [string, string] => [folder, '']),
    ...Object.entries(environment)
      .filter(([name, value]) => SECRET_NAME.test(name) && (value ?? '').length >= SECRET_LENGTH_MIN)
      .map(([, value]): [string, string] => [value!, '<secret>']),
    ...[homedir(), environment['HOME'] ?? ''].map((home): [string, string] => [home, '~']),
    [process.cwd(), '.'],
    [hostname(), '<machine>'],
    [userName(), '<user>'],
  ];
  // Longer texts are replaced first, because a longer text may contain a shorter one.
  const known = replacements
    .filter(([text]) => text.length >= LENGTH_MIN)
    .sort(([a], [b]) => b.length - a.length);
  return (text) => known.reduce((rest, [secret, name]) => rest.replaceAll(secret, name), text);
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // The user of a container may have no name.
    return '';
  }
}

/** The folders of the files that a device URI names, both as the URI writes them and as errors show them. */
function foldersOf(uri: string): string[] {
  const written = [...uri.matchAll(FOLDER)].map(([, , folder]) => folder);
  return written.flatMap((folder) => {
    const decoded = safelyDecoded(folder);
    return [folder, decoded, `${resolve(decoded)}${sep}`];
  });
}

function safelyDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The device URI without the folders of its files: profile, recording, token. The file names stay. */
export function withoutFolder(uri: string): string {
  return uri.replaceAll(FOLDER, '$1');
}
