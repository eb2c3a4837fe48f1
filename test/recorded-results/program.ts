import type { BoardProfile } from '../../emulator/profiles/board-profile.js';
import { ThermolinkError } from '../../src/errors.js';
import { type AskedOf, type Mischief, RecordedBoard } from './recorded-board.js';
import { type Recorded, recorded, textOf } from './recorded-value.js';

/** The tools of a recorded program. */
export interface Lab {
  /** A new board of a named profile; its requests are recorded. */
  board(profile: string, overrides?: Partial<BoardProfile>, mischief?: Mischief): RecordedBoard;
  /** A listener that records the arguments of its calls, under `name`. */
  listener(name: string): (...values: readonly unknown[]) => void;
  /** The error of a call that must fail. */
  refused(call: () => unknown): Promise<ThermolinkError>;
}

/** A few library calls. The returned value is recorded. */
export type RecordedProgram = (lab: Lab) => Promise<unknown>;

/** Programs by name; a file of the same name has the results of each. */
export type ProgramTable = Readonly<Record<string, RecordedProgram>>;

/** A program with more boards records only the number and the digest of each board's requests. */
const LISTED_MAX = 4;

/** Runs a program. Returns its result, the calls of its listeners, and all requests to its boards. */
export async function recordedRun(program: RecordedProgram): Promise<Recorded> {
  const boards: RecordedBoard[] = [];
  const heard: Record<string, unknown[]> = {};
  const result = await program({
    board: (...made) => {
      const board = new RecordedBoard(...made);
      boards.push(board);
      return board;
    },
    listener: (name) => {
      const events: unknown[] = (heard[name] ??= []);
      return (...values) => void events.push(values.length === 1 ? values[0] : values);
    },
    refused: async (call) => {
      let answer: unknown;
      try {
        answer = await call();
      } catch (error) {
        if (error instanceof ThermolinkError) return error;
        throw error;
      }
      throw new Error(`the call that has to fail did not: ${textOf(recorded(answer))}`);
    },
  });
  const all: AskedOf[] = boards.map((board) => board.asked);
  const asked = all.length <= LISTED_MAX ? all : all.map(({ count, digest }) => `${count}: ${digest}`);
  return { result: recorded(result), heard: recorded(heard), asked: recorded(asked) };
}
