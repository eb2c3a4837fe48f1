import { FAULT_DRAWS, FAULTS } from '../../emulator/imperfections/faults.js';
import { type AnyImperfection, IMPERFECTION_LIST } from '../../emulator/imperfections/table.js';
import { THERMAL_DRAWS } from '../../emulator/imperfections/thermal-drift.js';
import { findProfile } from '../../emulator/profiles/profiles.js';

const PROTOTYPE = findProfile('prototype-64')!;
const HARSH = findProfile('harsh-64')!;

/**
 * Makes the table of the effects that act at commit, or of those that act in time. Each row has the rule, the
 * magnitudes of two board types, and their source.
 */
export function effectsMarkdown(acts: AnyImperfection['acts']): string {
  const rows = IMPERFECTION_LIST.filter(([, effect]) => effect.acts === acts).map(([name, effect]) => {
    const [prototype, harsh] = [PROTOTYPE, HARSH].map(({ effects }) => effects?.[name] ?? undefined);
    const size = (magnitudes: object | undefined) =>
      magnitudes ? effect.size(magnitudes as Parameters<typeof effect.size>[0]) : 'off';
    const source = (prototype ?? harsh)?.source ?? '';
    return `| \`${name}\` | ${effect.rule} | ${size(prototype)} | ${size(harsh)} | ${source} |`;
  });
  return table(['effect', 'rule', 'prototype', 'harsh', 'source'], rows);
}

export function faultsMarkdown(): string {
  return table(
    ['kind', 'what happens'],
    Object.entries(FAULTS).map(([kind, { rule }]) => `| \`${kind}\` | ${rule} |`),
  );
}

/** The table of the stream numbers of all draws. */
export function drawsMarkdown(): string {
  const owners = [
    ...IMPERFECTION_LIST.map(([name, { draws = {} }]) => [`\`${name}\``, draws] as const),
    ['faults on demand', FAULT_DRAWS] as const,
    ['`thermalDrift`', THERMAL_DRAWS] as const,
  ];
  const rows = owners
    .flatMap(([owner, draws]) => Object.entries(draws).map(([name, draw]) => ({ owner, name, draw })))
    .sort((a, b) => a.draw - b.draw)
    .map(({ owner, name, draw }) => `| ${draw} \`${name}\` | ${owner} |`);
  return table(['draw', 'of'], rows);
}

/** The lists of `measured`. */
export function measuredMarkdown(): string {
  const rows = IMPERFECTION_LIST.flatMap(([name, { measured = {} }]) =>
    Object.entries(measured).map(
      ([list, { each, min, max, unit }]) =>
        `| \`${name}.${list}\` | ${each === 'named' ? 'cell that is named' : each} | ${min}…${max} | ${unit} |`,
    ),
  );
  return table(['list', 'one entry per', 'takes', 'unit'], rows);
}

function table(header: readonly string[], rows: readonly string[]): string {
  return [`| ${header.join(' | ')} |`, `|${' --- |'.repeat(header.length)}`, ...rows].join('\n');
}
