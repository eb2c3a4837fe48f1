import type { Clause } from '../clause.js';
import { BLOCK_CLAUSES } from './blocks.js';
import { COMMAND_CLAUSES } from './commands.js';
import { FRAME_CLAUSES } from './frames.js';
import { LINK_CLAUSES } from './links.js';
import { PAYLOAD_CLAUSES } from './payloads.js';
import { PERIPHERAL_CLAUSES } from './peripherals.js';
import { PROGRAM_CLAUSES } from './programs.js';
import { RUN_CLAUSES } from './runs.js';
import { SERVER_CLAUSES } from './servers.js';
import { SESSION_CLAUSES } from './sessions.js';
import { STATE_CLAUSES } from './states.js';

/** Every rule that is checked, in the order of the checks. Checks that reset the board come late. */
export const CLAUSES: readonly Clause[] = [
  ...FRAME_CLAUSES,
  ...PAYLOAD_CLAUSES,
  ...SESSION_CLAUSES,
  ...SERVER_CLAUSES,
  ...LINK_CLAUSES,
  ...COMMAND_CLAUSES,
  ...RUN_CLAUSES,
  ...BLOCK_CLAUSES,
  ...PROGRAM_CLAUSES,
  ...PERIPHERAL_CLAUSES,
  ...STATE_CLAUSES,
];

const HOST = 'it is a rule for the host';

/** Rules that no check can see from outside, and why. They are never counted as passed. */
export const UNCHECKED: Readonly<Record<string, string>> = {
  'SESSION-1': HOST,
  'SESSION-9': 'nobody outside sees whether an older answer still waited',
  'SESSION-10': HOST,
  'RESUME-3': HOST,
  'RESUME-4': HOST,
  'NONCE-2': HOST,
  'TCP-1': 'a program cannot make its own machine vanish',
  'LINK-8': 'nobody outside sees what waited to be sent',
  'ONCE-3': HOST,
  'FAULT-1': 'an error inside a board cannot be caused from outside',
  'RUN-5': 'nobody outside sees whether a board can know the state of its cells',
};
