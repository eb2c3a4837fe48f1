import { create, createFileRegistry, type DescMessage, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  FileDescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from '@bufbuild/protobuf/wkt';
import { assert } from '../errors.js';

/** Encoding of a field that is a number, a text or bytes. An enumeration is encoded as `uint32`. */
const SCALARS = {
  bool: Type.BOOL,
  bytes: Type.BYTES,
  double: Type.DOUBLE,
  float: Type.FLOAT,
  string: Type.STRING,
  uint32: Type.UINT32,
  uint64: Type.UINT64,
} as const;

interface ScalarValues {
  bool: boolean;
  bytes: Uint8Array;
  double: number;
  float: number;
  string: string;
  uint32: number;
  uint64: bigint;
}

interface Field {
  readonly number: number;
  readonly type: string;
  /** `one`: 0 or empty if the field was not sent. `maybe`: undefined if it was not sent. `many`: a list. */
  readonly rule: 'one' | 'maybe' | 'many';
}

const one = <const T extends string>(number: number, type: T) => ({ number, type, rule: 'one' }) as const;
const maybe = <const T extends string>(number: number, type: T) => ({ number, type, rule: 'maybe' }) as const;
const many = <const T extends string>(number: number, type: T) => ({ number, type, rule: 'many' }) as const;

/**
 * The messages of protocol 2.x that this project uses, with the fields that it uses. Other messages and
 * fields are skipped. The members of a oneof group are `maybe` fields here, which is the same on the wire.
 *
 * Source of the numbers: github.com/anabrid/analog-protobuf, `main.proto`, commit abc685b (May 2026).
 */
const MESSAGES = {
  Envelope: { generic: maybe(100, 'Generic'), message: maybe(101, 'Message') },
  Generic: { pingCommand: maybe(100, 'Empty'), pingResponse: maybe(101, 'Empty') },
  Message: {
    id: one(1, 'string'),
    success: maybe(100, 'Empty'),
    error: maybe(101, 'ErrorMessage'),
    resetCommand: maybe(202, 'ResetCommand'),
    extractCommand: maybe(203, 'ExtractCommand'),
    configCommand: maybe(204, 'ConfigCommand'),
    startRunCommand: maybe(205, 'StartRunCommand'),
    stopRunCommand: maybe(206, 'Empty'),
    overloadCommand: maybe(217, 'Empty'),
    calibrationCommand: maybe(218, 'CalibrationCommand'),
    extractResponse: maybe(301, 'ExtractResponse'),
    configResponse: maybe(302, 'Empty'),
    resetResponse: maybe(303, 'Empty'),
    startRunResponse: maybe(304, 'Empty'),
    runState: maybe(305, 'RunState'),
    runData: maybe(306, 'RunData'),
    runEnd: maybe(307, 'RunData'),
    overloadResponse: maybe(315, 'OverloadResponse'),
    calibrationResponse: maybe(317, 'Empty'),
    busy: maybe(502, 'Empty'),
  },
  Empty: {},
  ErrorMessage: { code: one(1, 'uint32'), description: one(2, 'string') },
  EntityId: { path: one(1, 'string') },
  Version: { major: one(1, 'uint32'), minor: one(2, 'uint32'), patch: one(3, 'uint32') },
  Entity: {
    id: one(1, 'string'),
    class: one(2, 'uint32'),
    type: one(3, 'uint32'),
    variant: one(4, 'uint32'),
    version: maybe(5, 'Version'),
    children: many(7, 'Entity'),
  },
  ResetCommand: {
    keepCalibration: one(2, 'bool'),
    overloadReset: one(3, 'bool'),
    circuitReset: one(4, 'bool'),
  },
  ExtractCommand: { recursive: one(2, 'bool'), specification: one(3, 'bool') },
  ExtractResponse: { module: maybe(1, 'Module') },
  ConfigCommand: { module: maybe(1, 'Module'), resetBefore: one(2, 'bool') },
  Module: { items: many(1, 'Item') },
  Item: {
    entity: maybe(1, 'EntityId'),
    adc: maybe(10, 'AdcConfig'),
    coefficients: maybe(14, 'CoefficientConfig'),
    integrators: maybe(15, 'IntegratorConfig'),
    select: maybe(16, 'SelectConfig'),
    sums: maybe(17, 'SumConfig'),
    specification: maybe(28, 'Specification'),
  },
  Specification: { entity: maybe(1, 'Entity') },
  AdcConfig: { channels: many(1, 'AdcChannel') },
  AdcChannel: { index: one(1, 'uint32'), gain: one(2, 'double'), offset: one(3, 'double') },
  CoefficientConfig: { elements: many(1, 'Coefficient') },
  Coefficient: { index: one(1, 'uint32'), factor: one(2, 'float') },
  IntegratorConfig: { elements: many(1, 'Integrator') },
  Integrator: { index: one(1, 'uint32'), initial: one(2, 'float'), rate: one(3, 'uint32') },
  SelectConfig: {
    connections: many(1, 'SelectConnection'),
    constant: one(2, 'uint32'),
    magnitude: one(3, 'uint32'),
  },
  SelectConnection: { input: one(1, 'uint32'), output: one(2, 'uint32') },
  SumConfig: { connections: many(1, 'SumConnection') },
  SumConnection: { inputs: many(1, 'uint32'), output: one(2, 'uint32') },
  CalibrationCommand: { config: maybe(1, 'CalibrationConfig') },
  CalibrationConfig: {
    leader: maybe(1, 'EntityId'),
    math: one(2, 'uint32'),
    gain: one(3, 'uint32'),
    offset: one(4, 'uint32'),
  },
  Time: { value: one(1, 'uint64'), prefix: one(2, 'uint32') },
  Run: { id: one(1, 'string'), chunk: one(2, 'uint32') },
  StartRunCommand: {
    run: maybe(1, 'Run'),
    runConfig: maybe(2, 'RunConfig'),
    daqConfig: maybe(3, 'DaqConfig'),
  },
  RunConfig: {
    initialTime: maybe(1, 'Time'),
    operatingTime: maybe(2, 'Time'),
    haltOnOverload: maybe(3, 'bool'),
    streaming: maybe(4, 'bool'),
    repetitive: maybe(5, 'bool'),
    writeRunStateChanges: maybe(6, 'bool'),
  },
  DaqConfig: {
    channels: one(1, 'uint32'),
    sampleRate: one(2, 'uint32'),
    sampleOperation: one(3, 'bool'),
    sampleEnd: one(4, 'bool'),
  },
  RunState: { run: maybe(1, 'Run'), old: one(2, 'uint32'), next: one(3, 'uint32'), reason: one(5, 'string') },
  RunData: { run: maybe(1, 'Run'), data: maybe(3, 'SampleData') },
  SampleData: {
    data: one(1, 'bytes'),
    type: maybe(4, 'SampleType'),
    channels: many(5, 'AdcChannel'),
    sampleCount: one(6, 'uint32'),
    channelStride: one(7, 'uint32'),
  },
  SampleType: { float: maybe(1, 'FloatType'), integer: maybe(2, 'IntegerType') },
  FloatType: { bits: one(2, 'uint32') },
  IntegerType: { signedness: one(1, 'uint32'), bits: one(2, 'uint32') },
  OverloadResponse: { status: maybe(1, 'OverloadStatus') },
  OverloadStatus: { overloaded: one(1, 'bool'), elements: many(2, 'OverloadElement') },
  OverloadElement: {
    entity: maybe(1, 'EntityId'),
    index: one(2, 'uint32'),
    overloaded: one(3, 'bool'),
  },
} as const;

type Messages = typeof MESSAGES;
type MessageName = keyof Messages;

type ValueOf<T> = T extends keyof ScalarValues ? ScalarValues[T] : T extends MessageName ? Body<T> : never;

type InitialOf<T> = T extends keyof ScalarValues
  ? ScalarValues[T]
  : T extends MessageName
    ? InitialBody<T>
    : never;

type FieldsWith<N extends MessageName, Choice extends boolean> = {
  [F in keyof Messages[N]]: Messages[N][F] extends { readonly rule: 'maybe' }
    ? Choice extends true
      ? F
      : never
    : Choice extends true
      ? never
      : F;
}[keyof Messages[N]];

/** A message that has arrived. */
export type Body<N extends MessageName> = {
  readonly [F in FieldsWith<N, false>]: Messages[N][F] extends { type: infer T; rule: 'many' }
    ? readonly ValueOf<T>[]
    : Messages[N][F] extends { type: infer T }
      ? ValueOf<T>
      : never;
} & {
  readonly [F in FieldsWith<N, true>]?: Messages[N][F] extends { type: infer T } ? ValueOf<T> : never;
};

/** A message to send. A missing field is 0, empty or not sent. */
export type InitialBody<N extends MessageName> = {
  readonly [F in keyof Messages[N]]?: Messages[N][F] extends { type: infer T; rule: 'many' }
    ? readonly InitialOf<T>[]
    : Messages[N][F] extends { type: infer T }
      ? InitialOf<T>
      : never;
};

/** Values of `SelectConfig.constant` and `magnitude`, `Entity.class`, `Time.prefix`, `RunState.next`. */
export const CONSTANT_POSITIVE = 1;
export const MAGNITUDE_ONE = 0;
export const CLASS_CARRIER = 1;
export const CLASS_INTEGRATORS = 3;
export const PREFIX_NANO = 3;
export const SIGNED = 0;
export const RUN_STATE = { error: 1, done: 2 } as const;

const PACKAGE = 'lucidac';

function fieldOf(name: string, { number, type, rule }: Field, presence: string[]) {
  const scalar = SCALARS[type as keyof typeof SCALARS] as Type | undefined;
  const field = {
    name,
    jsonName: name,
    number,
    type: scalar ?? Type.MESSAGE,
    typeName: scalar === undefined ? `.${PACKAGE}.${type}` : '',
    label: rule === 'many' ? Label.REPEATED : Label.OPTIONAL,
  };
  if (rule !== 'maybe' || scalar === undefined) return field;
  return { ...field, proto3Optional: true, oneofIndex: presence.push(`_${name}`) - 1 };
}

/**
 * Converts the table to the form that the library @bufbuild/protobuf needs: a compiled file of descriptions.
 */
function registry() {
  const messageType = Object.entries(MESSAGES).map(([name, fields]) => {
    const presence: string[] = [];
    const field = Object.entries(fields).map(([key, entry]) => fieldOf(key, entry, presence));
    return { name, field, oneofDecl: presence.map((group) => ({ name: group })) };
  });
  const file = create(FileDescriptorProtoSchema, {
    name: 'lucidac.proto',
    package: PACKAGE,
    syntax: 'proto3',
    messageType,
  });
  return createFileRegistry(file, () => undefined);
}

const REGISTRY = registry();

function descriptionOf(name: MessageName): DescMessage {
  const description = REGISTRY.getMessage(`${PACKAGE}.${name}`);
  assert(description !== undefined, `the table has the message ${name}`);
  return description;
}

/** Encodes a message. The fields are in the order of the table. Errors: none. */
export function encode<N extends MessageName>(name: N, body: InitialBody<N>): Uint8Array {
  const description = descriptionOf(name);
  return toBinary(description, create(description, body as Record<string, unknown>));
}

/**
 * Decodes a message. Returns undefined if the bytes are cut off, have a wrong wire type, or are nested more
 * than a hundred levels deep. Decoded lists and texts are never longer than the bytes. Errors: none.
 */
export function decode<N extends MessageName>(name: N, bytes: Uint8Array): Body<N> | undefined {
  try {
    return fromBinary(descriptionOf(name), bytes) as unknown as Body<N>;
  } catch {
    return undefined;
  }
}
