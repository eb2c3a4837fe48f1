import { formatSeconds } from '../../../number-text.js';
import type { OnLucidac } from '../../board-command.js';
import type { Report } from '../../command.js';
import { formatTable } from '../../output/table.js';

/** The description that a LUCIDAC gives of itself, and its sizes. */
export async function lucidacReport(onLucidac: OnLucidac): Promise<Report> {
  const { INTEGRATORS, LANES } = await import('../../../lucidac/circuit.js');
  const { result, device } = await onLucidac(async (lucidac, { signal }) => ({
    machine: lucidac.facts,
    limits: { integrators: INTEGRATORS, lanes: LANES },
    roundTripMs: await lucidac.ping({ signal }),
  }));
  const { machine, limits, roundTripMs } = result;
  const facts = [
    ['device', device],
    ['model', 'LUCIDAC'],
    ['address of the carrier', machine.mac],
    ['version of the carrier', machine.carrierVersion || 'unknown'],
    ['round trip', formatSeconds(roundTripMs / 1000)],
  ];
  const sizes = [
    ['integrators', String(limits.integrators)],
    ['lanes with a coefficient', String(limits.lanes)],
    ['systems that fit', 'up to 5 unknowns, and up to 8 with couplings + unknowns ≤ 32'],
  ];
  const parts = machine.parts.map(({ path, type, version }) => [path, String(type), version]);
  return {
    json: { device, ...result },
    text: [
      `machine\n${formatTable(facts)}`,
      `sizes\n${formatTable(sizes)}`,
      formatTable(parts, { header: ['parts', 'type', 'version'] }),
    ].join('\n'),
  };
}
