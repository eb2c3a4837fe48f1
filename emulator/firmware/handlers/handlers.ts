import type { Link } from '../../../firmware-protocol/link/link.js';
import type { Answer, Command, CommandName } from '../../../firmware-protocol/messages/index.js';
import type { Board } from '../board.js';

/** What belongs to one session and is forgotten with it (protocol.md, "Opening a session"). */
export interface Session {
  readonly nonce: Uint8Array;
  lastRunId: number;
  lastRequestId: number;
  /** Answers already given, by request id, oldest first (protocol.md, "At most once"). */
  readonly answers: Map<number, Uint8Array>;
}

export interface HandlerContext {
  readonly board: Board;
  readonly link: Link;
  readonly session: Session;
  readonly nowMs: number;
  readonly resetAfterAnswer: () => void;
}

/** The commands with a handler: all but HELLO and stop. A handler returns the answer or throws Refused. */
export type HandledCommand = Exclude<CommandName, 'hello' | 'stop'>;
export type Handlers = {
  readonly [N in HandledCommand]: (context: HandlerContext, fields: Command<N>) => Answer<N>;
};
