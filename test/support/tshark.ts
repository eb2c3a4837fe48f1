import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ROOT } from '../repository/files.js';
import { hasProgram } from './programs.js';

export const hasTshark = hasProgram('tshark');
/** The dissector in the package. */
export const DISSECTOR = path.join(ROOT, 'firmware-protocol/wireshark/thermolink.lua');

const OUTPUT_BYTES_MAX = 512 * 1024 * 1024;

/** Runs `work` with the path of a file of `bytes`, in a folder without any settings of the user. */
function withFile<T>(bytes: Uint8Array, work: (file: string, environment: NodeJS.ProcessEnv) => T): T {
  const directory = mkdtempSync(path.join(tmpdir(), 'thermolink-tshark-'));
  try {
    const file = path.join(directory, 'capture');
    writeFileSync(file, bytes);
    return work(file, { ...process.env, HOME: directory, XDG_CONFIG_HOME: directory });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The output of tshark about a capture, with our dissector. Fails when tshark fails. */
export function tshark(capture: Uint8Array, ...options: string[]): string {
  return withFile(capture, (file, env) =>
    execFileSync('tshark', ['-X', `lua_script:${DISSECTOR}`, '-r', file, ...options], {
      env,
      encoding: 'utf8',
      maxBuffer: OUTPUT_BYTES_MAX,
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  );
}

/** The values of `fields` in each row. Each field has a list, because it may occur several times. */
export function tsharkFields<const F extends string>(
  capture: Uint8Array,
  fields: readonly F[],
  ...options: string[]
): Record<F, readonly string[]>[] {
  const named = fields.flatMap((field) => ['-e', field]);
  const form = ['-E', 'separator=/t', '-E', 'occurrence=a', '-E', 'aggregator=/s'];
  const lines = tshark(capture, '-T', 'fields', ...form, ...named, ...options).split('\n');
  return lines.slice(0, -1).map((line) => {
    const values = line.split('\t');
    const listed = fields.map((field, i) => [field, values[i] === '' ? [] : values[i].split(' ')]);
    return Object.fromEntries(listed) as Record<F, readonly string[]>;
  });
}

/** A capture of TCP made of segments, each from or to port 7000, by Wireshark's own text2pcap. */
export function tcpCapture(segments: readonly { toBoard: boolean; bytes: Uint8Array }[]): Uint8Array {
  const dump = segments
    .map(({ toBoard, bytes }) => {
      const lines = Array.from({ length: Math.ceil(bytes.length / 16) }, (_, line) => {
        const part = Array.from(bytes.subarray(16 * line, 16 * line + 16));
        const hex = part.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
        return `${(16 * line).toString(16).padStart(6, '0')} ${hex}`;
      });
      return `${toBoard ? 'I' : 'O'}\n${lines.join('\n')}\n`;
    })
    .join('\n');
  return withFile(Buffer.from(dump), (file) =>
    execFileSync('text2pcap', ['-q', '-D', '-T', '40000,7000', file, '-'], {
      maxBuffer: OUTPUT_BYTES_MAX,
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  );
}
