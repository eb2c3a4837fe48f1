import { homedir, hostname, userInfo } from 'node:os';

/** Shorter texts stay, because they may be common words. */
const LENGTH_MIN = 3;
/** Variables with such a name hold secrets. */
const SECRET_NAME = /token|secret|password|passwd|credential|auth|key/i;
const SECRET_LENGTH_MIN = 6;

/**
 * Removes private data from a text: the home directory, the working directory, the names of user and machine,
 * and the values of variables of `environment` whose names say that they are secret.
 */
export function redactor(environment: NodeJS.ProcessEnv = process.env): (text: string) => string {
  const replacements: [string, string][] = [
    ...Object.entries(environment)
      .filter(([name, value]) => SECRET_NAME.test(name) && (value ?? '').length >= SECRET_LENGTH_MIN)
      .map(([, value]): [string, string] => [value!, '<secret>']),
    ...[homedir(), environment['HOME'] ?? ''].map((home): [string, string] => [home, '~']),
    [process.cwd(), '.'],
    [hostname(), '<machine>'],
    [userName(), '<user>'],
  ];
  // A longer text may hold a shorter one.
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

/** The device URI without the path of a profile or a recording: its file name stays. */
export function withoutFolder(uri: string): string {
  return uri.replace(/(file=|replay:)([^?#]*[/\\])/, '$1');
}
