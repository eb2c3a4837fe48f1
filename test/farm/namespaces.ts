import { spawnSync } from 'node:child_process';

/** The place in which a process of a test runs. */
export interface ProcessPlace {
  /** An address of this machine that the process reaches. */
  readonly host: string;
  /** The words before its command line. */
  readonly wrapper: readonly string[];
}

const ip = (...args: string[]): boolean => spawnSync('ip', args, { stdio: 'ignore' }).status === 0;

/**
 * Makes network namespaces. Each has a line to the namespace of this process, and no other line. If the
 * system does not allow this (root is needed), all places are in the namespace of this process. `remove`
 * deletes the namespaces.
 */
export function makeNamespaces(count: number) {
  const name = (index: number): string => `tl${process.pid}n${index}`;
  const remove = (): void => {
    for (let index = 0; index < count; index++) ip('netns', 'delete', name(index));
  };
  const places: ProcessPlace[] = [];
  for (let index = 0; index < count; index++) {
    const [space, near, far] = [name(index), `tl${process.pid}h${index}`, `tl${process.pid}g${index}`];
    const subnet = `10.213.${index}`;
    const isMade =
      ip('netns', 'add', space) &&
      ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far) &&
      ip('link', 'set', far, 'netns', space) &&
      ip('address', 'add', `${subnet}.1/30`, 'dev', near) &&
      ip('link', 'set', near, 'up') &&
      ip('-n', space, 'address', 'add', `${subnet}.2/30`, 'dev', far) &&
      ip('-n', space, 'link', 'set', far, 'up') &&
      ip('-n', space, 'link', 'set', 'lo', 'up');
    if (!isMade) {
      remove();
      const here: ProcessPlace = { host: '127.0.0.1', wrapper: [] };
      return { isSeparate: false, places: Array.from({ length: count }, () => here), remove };
    }
    places.push({ host: `${subnet}.1`, wrapper: ['ip', 'netns', 'exec', space] });
  }
  return { isSeparate: true, places, remove };
}
