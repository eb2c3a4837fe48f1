/** A message of the frozen copy, free to be edited. */
export interface EditableMessage {
  opcode: number;
  name: string;
  channel: string;
  delivery: string;
  toDevice?: EditableField[];
  toHost?: EditableField[];
}

interface EditableField {
  name: string;
  type: string;
  unit?: string;
  min?: number;
  max?: number;
  minBytes?: number;
  maxBytes?: number;
  choices?: Record<string, number>;
}

interface DeliberateEdit {
  readonly title: string;
  readonly edit: (messages: EditableMessage[]) => void;
  /** `edit: where` of each, in order. */
  readonly findings: readonly string[];
}

function message(messages: EditableMessage[], name: string): EditableMessage {
  return messages.find((entry) => entry.name === name)!;
}

function field(messages: EditableMessage[], name: string, of: 'toDevice' | 'toHost', fieldName: string) {
  return message(messages, name)[of]!.find((entry) => entry.name === fieldName)!;
}

const newField = (name: string): EditableField => ({ name, type: 'integer', unit: '1', min: 0, max: 7 });

/** Edits of the message tables, each with the names that the comparison must report. */
export const DELIBERATE_EDITS: readonly DeliberateEdit[] = [
  {
    title: 'an opcode that nobody had',
    edit: (messages) => (message(messages, 'abort').opcode = 40),
    findings: ['renumbered: abort'],
  },
  {
    title: 'two opcodes swapped',
    edit: (messages) => {
      message(messages, 'start').opcode = 33;
      message(messages, 'abort').opcode = 32;
    },
    findings: ['renumbered: start', 'renumbered: abort', 'opcode reused: start', 'opcode reused: abort'],
  },
  {
    title: 'a message taken out',
    edit: (messages) => messages.splice(messages.indexOf(message(messages, 'resend')), 1),
    findings: ['message removed: resend'],
  },
  {
    title: 'a message taken out, its opcode given to another',
    edit: (messages) => {
      const gone = message(messages, 'reset');
      messages[messages.indexOf(gone)] = { ...gone, name: 'selfTest', toDevice: [newField('depth')] };
    },
    findings: ['message removed: reset', 'message added: selfTest', 'opcode reused: selfTest'],
  },
  {
    title: 'a message with another name',
    edit: (messages) => (message(messages, 'ping').name = 'echo'),
    findings: ['message renamed: ping'],
  },
  {
    title: 'two rows in another order',
    edit: (messages) => {
      const at = messages.indexOf(message(messages, 'ping'));
      messages.splice(at, 2, messages[at + 1], messages[at]);
    },
    findings: ['messages reordered: ping, readStatus'],
  },
  {
    title: 'another channel',
    edit: (messages) => (message(messages, 'credit').channel = 'command'),
    findings: ['channel changed: credit'],
  },
  {
    title: 'the other direction',
    edit: (messages) => {
      const credit = message(messages, 'credit');
      credit.toHost = credit.toDevice!;
      delete credit.toDevice;
    },
    findings: ['direction changed: credit'],
  },
  {
    title: 'a command that is not answered any more',
    edit: (messages) => {
      const abort = message(messages, 'abort');
      abort.delivery = 'event';
      delete abort.toHost;
    },
    findings: ['direction changed: abort', 'delivery changed: abort'],
  },
  {
    title: 'executed whenever it comes, instead of once',
    edit: (messages) => (message(messages, 'start').delivery = 'again'),
    findings: ['delivery changed: start'],
  },
  {
    title: 'the last field taken out',
    edit: (messages) => message(messages, 'start').toDevice!.pop(),
    findings: ['field removed: start toDevice batchSamples'],
  },
  {
    title: 'a field in the middle taken out',
    edit: (messages) => message(messages, 'runEnded').toHost!.splice(2, 1),
    findings: ['field removed: runEnded toHost ticksDone'],
  },
  {
    title: 'a field put in front of others',
    edit: (messages) => message(messages, 'commit').toDevice!.splice(1, 0, newField('mode')),
    findings: ['field inserted: commit toDevice mode'],
  },
  {
    title: 'a field in the place of the last one',
    edit: (messages) => message(messages, 'commit').toDevice!.splice(2, 1, newField('sha256')),
    findings: ['field removed: commit toDevice crc32c', 'field inserted: commit toDevice sha256'],
  },
  {
    title: 'two fields swapped',
    edit: (messages) => message(messages, 'commit').toDevice!.reverse(),
    findings: ['fields reordered: commit toDevice'],
  },
  {
    title: 'a field with another name',
    edit: (messages) => (field(messages, 'ping', 'toDevice', 'token').name = 'cookie'),
    findings: ['field renamed: ping toDevice token'],
  },
  {
    title: 'another type',
    edit: (messages) =>
      Object.assign(message(messages, 'ping').toHost!, {
        0: { name: 'token', type: 'bytes', minBytes: 4, maxBytes: 4 },
      }),
    findings: ['retyped: ping toHost token'],
  },
  {
    title: 'another unit',
    edit: (messages) => (field(messages, 'start', 'toDevice', 'watchdogMs').unit = 'µs'),
    findings: ['unit changed: start toDevice watchdogMs'],
  },
  {
    title: 'a smaller maximum',
    edit: (messages) => (field(messages, 'start', 'toDevice', 'sampleCount').max = 65535),
    findings: ['range narrowed: start toDevice sampleCount'],
  },
  {
    title: 'a larger minimum',
    edit: (messages) => (field(messages, 'credit', 'toDevice', 'blocks').min = 1),
    findings: ['range narrowed: credit toDevice blocks'],
  },
  {
    title: 'fewer bytes',
    edit: (messages) => (field(messages, 'writeDrive', 'toDevice', 'codes').maxBytes = 1024),
    findings: ['range narrowed: writeDrive toDevice codes'],
  },
  {
    title: 'a shorter text',
    edit: (messages) => (field(messages, 'refusal', 'toHost', 'detail').maxBytes = 95),
    findings: ['range narrowed: refusal toHost detail'],
  },
  {
    title: 'a range that moved',
    edit: (messages) => Object.assign(field(messages, 'ping', 'toDevice', 'token'), { min: 1, max: 2 ** 33 }),
    findings: ['range narrowed: ping toDevice token', 'range widened: ping toDevice token'],
  },
  {
    title: 'a larger maximum',
    edit: (messages) => (field(messages, 'writeDrive', 'toDevice', 'codes').maxBytes = 65537),
    findings: ['range widened: writeDrive toDevice codes'],
  },
  {
    title: 'a choice taken out',
    edit: (messages) => delete field(messages, 'start', 'toDevice', 'onOverload').choices!['mark'],
    findings: ['choice removed: start toDevice onOverload'],
  },
  {
    title: 'a choice with another number',
    edit: (messages) => (field(messages, 'start', 'toDevice', 'onOverload').choices!['mark'] = 2),
    findings: ['choice renumbered: start toDevice onOverload'],
  },
  {
    title: 'a choice with another name',
    edit: (messages) =>
      (field(messages, 'start', 'toDevice', 'onOverload').choices = { halt: 0, continue: 1 }),
    findings: ['choice renamed: start toDevice onOverload'],
  },
  {
    title: 'choices in another order',
    edit: (messages) => (field(messages, 'start', 'toDevice', 'onOverload').choices = { mark: 1, halt: 0 }),
    findings: ['choices reordered: start toDevice onOverload'],
  },
  {
    title: 'a choice more',
    edit: (messages) => (field(messages, 'start', 'toDevice', 'onOverload').choices!['abort'] = 2),
    findings: ['choice added: start toDevice onOverload'],
  },
  {
    title: 'a field more at the end',
    edit: (messages) => message(messages, 'hello').toHost!.push(newField('temperature')),
    findings: ['field added: hello toHost temperature'],
  },
  {
    title: 'a message more',
    edit: (messages) =>
      messages.push({
        opcode: 80,
        name: 'calibrate',
        channel: 'command',
        delivery: 'once',
        toDevice: [],
        toHost: [],
      }),
    findings: ['message added: calibrate'],
  },
];
