/** Every kind of edit of the tables that the comparison distinguishes. */
export const BREAKING_EDITS = {
  'message removed': 'the other end still sends it, or waits for its answer',
  'message renamed':
    'the bytes stay, but the table hash does not: two ends of the same version refuse each other',
  'messages reordered':
    'the bytes stay, but the table hash does not: two ends of the same version refuse each other',
  renumbered: 'the other end sends and expects the old opcode, and takes the new one for another message',
  'opcode reused': 'an end that knows the old message takes the new one for it',
  'channel changed': 'the other end sends it on the old channel, with that channel’s order and repetition',
  'direction changed':
    'the other end does not decode it in this direction, and still sends it in the old one',
  'delivery changed':
    'an end that relies on "at most once" repeats it, or one that relies on "again" does not',
  'field removed': 'every field behind it moves, and the other end reads each as its neighbour',
  'field inserted': 'every field behind it moves, and the other end reads each as its neighbour',
  'fields reordered': 'the other end reads each of these fields as another',
  'field renamed':
    'the bytes stay, but the table hash does not: two ends of the same version refuse each other',
  retyped: 'the other end rejects the message, or reads something else',
  'unit changed': 'the other end takes the same number for another quantity',
  'range narrowed': 'the other end may send values that are now rejected',
  'choice removed': 'the other end may send a value that is now rejected',
  'choice renumbered': 'the other end takes the number for another choice',
  'choice renamed':
    'the bytes stay, but the table hash does not: two ends of the same version refuse each other',
  'choices reordered':
    'the bytes stay, but the table hash does not: two ends of the same version refuse each other',
} as const;

export const ADDITIONS = {
  'message added':
    'an end of an earlier minor refuses it as unknownCommand: send it only to one that knows it',
  'field added': 'an end of an earlier minor ignores it, and never sends it',
  'range widened': 'an end of an earlier minor rejects the new values: send them only to one that knows them',
  'choice added': 'an end of an earlier minor rejects the new value: send it only to one that knows it',
} as const;

const INSTEAD: Readonly<Record<keyof typeof BREAKING_EDITS, string>> = {
  'message removed': 'keep the row; a device that no longer does it refuses it as unsupported',
  'message renamed': 'keep the name, and say what it means now in its doc',
  'messages reordered': 'put the rows back in their order; a new one goes to the end of its group',
  renumbered: 'give it its old opcode back; a new message takes a number that was never used',
  'opcode reused': 'take a number that was never used',
  'channel changed': 'keep it, and add a new message on the other channel',
  'direction changed': 'keep it, and add a new message for the other direction',
  'delivery changed': 'keep it, and add a new message with the other delivery',
  'field removed': 'keep it, and say in its doc that it is ignored and what is sent in it',
  'field inserted': 'move it to the end of the list',
  'fields reordered': 'put them back in their order',
  'field renamed': 'keep the name, and say what it means now in its doc',
  retyped: 'keep it, and add a new field at the end',
  'unit changed': 'keep it, and add a new field in the other unit at the end',
  'range narrowed': 'keep the range; let the device refuse what it cannot do as outOfRange',
  'choice removed': 'keep it; let the device refuse it as unsupported',
  'choice renumbered': 'give it its old number back; a new choice takes a number that was never used',
  'choice renamed': 'keep the name, and say what it means now in the field’s doc',
  'choices reordered': 'put them back in their order; a new one goes to the end',
};

export type Edit = keyof typeof BREAKING_EDITS | keyof typeof ADDITIONS;

/** One difference between the frozen copy and the tables. */
export interface Finding {
  readonly edit: Edit;
  /** For example `start toDevice burnInTicks`: message, direction and field, if they apply. */
  readonly where: string;
  /** The old and the new content. */
  readonly what: string;
  /**
   * The change affects bytes that are exchanged between ends of different major versions. Not even a new
   * major version may do that.
   */
  readonly forEver: boolean;
}

export function breaks({ edit }: Finding): boolean {
  return edit in BREAKING_EDITS;
}

/** The text of a finding: the change, why it breaks, and what to do instead. */
export function describeFinding(finding: Finding): string {
  const { edit, where, what, forEver } = finding;
  const why = BREAKING_EDITS[edit as keyof typeof BREAKING_EDITS];
  if (!why) return `${edit}: ${where}: ${what}\n  allowed: ${ADDITIONS[edit as keyof typeof ADDITIONS]}`;
  const lines = [
    `${edit}: ${where}: ${what}`,
    `  breaks:  ${why}`,
    `  instead: ${INSTEAD[edit as keyof typeof INSTEAD]}`,
  ];
  if (forEver)
    lines.push('  for ever: ends of any two versions read this to tell each other which they speak');
  return lines.join('\n');
}
