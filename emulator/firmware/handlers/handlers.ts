import type { Link } from '../../../firmware-protocol/link/link.js';
import type { Answer, Command, CommandName } from '../../../firmware-protocol/messages/index.js';
import type { Board } from '../board.js';

/** What belongs to one session and is forgotten with it. */
export interface Session {
  readonly nonce: Uint8Array;
  lastRunId: number;
  lastRequestId: number;
  /** Answers already given, by request id, oldest first. */
  readonly answers: Map<number, Uint8Array>;
}

export interface HandlerContext {
  readonly board: Board;
  readonly link: Link;
  readonly session: Session;
  readonly nowMs: number;
  readonly resetAfterAnswer: () => void;
}

/** HELLO and stop belong to the session itself; every other command has one handler that answers or throws Refused. */
export type HandledCommand = Exclude<CommandName, 'hello' | 'stop'>;
export type Handlers = {
  readonly [N in HandledCommand]: (context: HandlerContext, fields: Command<N>) => Answer<N>;
};
