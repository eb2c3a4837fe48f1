import { ThermolinkError } from '../errors.js';
import { counted } from '../number-text.js';
import { type Body, CLASS_CARRIER, CLASS_INTEGRATORS } from './messages.js';

type Entity = Body<'Entity'>;

/** The parts of a LUCIDAC, as the machine reports them. */
export interface MachineFacts {
  /** Address of the carrier; every configuration contains it. */
  readonly mac: string;
  /** Version of the carrier as `major.minor.patch`; empty if the carrier does not report it. */
  readonly carrierVersion: string;
  /** All parts below the carrier, as paths with type and version. */
  readonly parts: readonly MachinePart[];
}

/** One part of a machine. */
export interface MachinePart {
  readonly path: string;
  /** Kind of the part, a whole number assigned by the manufacturer. */
  readonly class: number;
  /** Model within the kind, a whole number assigned by the manufacturer. */
  readonly type: number;
  readonly version: string;
}

/**
 * Finds the carrier in the tree that the machine sent. Errors: NOT_A_BOARD for a tree without a carrier or
 * integrators; UNSUPPORTED for one with several carriers.
 */
export function machineOf({ items }: Body<'Module'>, name: string): MachineFacts {
  const roots = items.flatMap(({ specification }) => specification?.entity ?? []);
  const carriers = roots.flatMap((root) => carriersIn(root));
  if (carriers.length > 1)
    throw new ThermolinkError(
      'UNSUPPORTED',
      `The machine at ${name} has ${counted(carriers.length, 'carrier')}. Only a LUCIDAC with a single carrier can be used.`,
      { hint: 'Name a single LUCIDAC.', data: { carriers: carriers.length } },
    );
  const carrier = carriers.at(0);
  const mac = carrier?.id.replace(/^\//, '') ?? '';
  const parts = carrier === undefined ? [] : partsOf(carrier, '');
  const isWhole = parts.some((part) => part.class === CLASS_INTEGRATORS && part.path.endsWith('/0/M0'));
  if (carrier === undefined || !/^[0-9A-Za-z:.-]{1,64}$/.test(mac) || !isWhole)
    throw new ThermolinkError(
      'NOT_A_BOARD',
      `The machine at ${name} reports no carrier with a block of integrators (M0).`,
      {
        hint: 'Only a LUCIDAC with firmware 2.x can be used. Check its address.',
        data: { parts: parts.map(({ path }) => path) },
      },
    );
  return { mac, carrierVersion: versionOf(carrier), parts };
}

function carriersIn(entity: Entity): Entity[] {
  return entity.class === CLASS_CARRIER ? [entity] : entity.children.flatMap((child) => carriersIn(child));
}

function partsOf(entity: Entity, above: string): MachinePart[] {
  const path = `${above}/${entity.id.replace(/^\//, '')}`;
  const own = { path, class: entity.class, type: entity.type, version: versionOf(entity) };
  return [own, ...entity.children.flatMap((child) => partsOf(child, path))];
}

function versionOf({ version }: Entity): string {
  return version === undefined ? '' : `${version.major}.${version.minor}.${version.patch}`;
}
