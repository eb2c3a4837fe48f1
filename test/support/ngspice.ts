import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Rows } from './analog-linear.js';
import { hasProgram } from './programs.js';

export const hasNgspice = hasProgram('ngspice');

/** R = 1/G_fs and C of the board; RC = 1 µs. */
const OHM = 1000;
const FARAD = 1e-9;
const TAU_SECONDS = OHM * FARAD;

export interface Circuit {
  /** A in G_fs; symmetric. */
  readonly a: Rows;
  /** e in V_fs·G_fs, V_fs = 1 V. */
  readonly drive: readonly number[];
  readonly initial: readonly number[];
  /**
   * Root mean square of the noise of each cell, in V_fs·G_fs. The noise has a new value every `step` τ, and
   * straight lines between these values.
   */
  readonly noise?: { readonly rms: number; readonly step: number; readonly seed: number };
}

/**
 * The board as a netlist of real parts: capacitors, resistors to ground, and current sources for drive and
 * noise. A negative coupling is a resistor between two cells. A positive coupling needs resistors to
 * inverting amplifiers.
 */
function netlist({ a, drive, initial, noise }: Circuit): string[] {
  const lines: string[] = [];
  const resistor = (name: string, from: string, to: string, g: number) => {
    if (g !== 0) lines.push(`R${name} ${from} ${to} ${OHM / g}`);
  };
  a.forEach((row, i) => {
    lines.push(`C${i} v${i} 0 ${FARAD} ic=${initial[i]}`, `E${i} inv${i} 0 v${i} 0 -1`);
    lines.push(`Idrive${i} 0 v${i} dc ${drive[i] / OHM}`);
    if (noise)
      lines.push(`Inoise${i} 0 v${i} dc 0 trnoise(${noise.rms / OHM} ${noise.step * TAU_SECONDS} 0 0)`);
    row.forEach((g, j) => {
      if (j > i && g < 0) resistor(`n${i}x${j}`, `v${i}`, `v${j}`, -g);
      if (j !== i && g > 0) resistor(`p${i}x${j}`, `v${i}`, `inv${j}`, g);
    });
    const coupled = row.reduce((sum, g, j) => sum + (j === i ? 0 : Math.abs(g)), 0);
    resistor(`ground${i}`, `v${i}`, '0', row[i] - coupled);
  });
  return lines;
}

/** Voltages of every cell, at 0, `step`, 2·`step`, … `end` (in τ), by ngspice's transient analysis. */
export function transient(circuit: Circuit, step: number, end: number, longestStep: number): number[][] {
  const directory = mkdtempSync(path.join(tmpdir(), 'thermolink-ngspice-'));
  try {
    const file = path.join(directory, 'board.cir');
    const data = path.join(directory, 'board.data');
    const nodes = circuit.a.map((_, i) => `v(v${i})`).join(' ');
    const times = [step, end, 0, longestStep].map((t) => t * TAU_SECONDS).join(' ');
    writeFileSync(
      file,
      [
        'the board',
        '.options reltol=1e-6 abstol=1e-15 vntol=1e-9 method=trap',
        ...netlist(circuit),
        '.control',
        `set rndseed=${circuit.noise?.seed ?? 1}`,
        'set wr_singlescale',
        'set numdgt=12',
        `tran ${times} uic`,
        `linearize ${nodes}`,
        `wrdata ${data} ${nodes}`,
        'quit',
        '.endc',
        '.end',
        '',
      ].join('\n'),
    );
    execFileSync('ngspice', ['-b', file], { stdio: 'pipe' });
    return readFileSync(data, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/).map(Number).slice(1));
  } finally {
    rmSync(directory, { recursive: true });
  }
}
