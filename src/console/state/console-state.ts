import type { HubEvent, HubEventOf, Right } from '../../hub/api.js';
import { BoardState } from './board-state.js';

/** Number of incidents that are kept. */
export const INCIDENTS_MAX = 100;
/** Boards that are kept; a server has far fewer. */
export const BOARDS_MAX = 256;

/** A line about what happened, with a number that no other one has. */
export interface Incident extends HubEventOf<'incident'> {
  readonly id: number;
}

const RIGHTS: readonly Right[] = ['observe', 'stop', 'drive', 'admin'];

/** All that the page knows, made of the server's events. Its size is bounded. */
export class ConsoleState {
  readonly boards = new Map<string, BoardState>();
  /** The newest first. */
  incidents: readonly Incident[] = [];
  /** The observer and its right; undefined until the server has sent them. */
  observer: { readonly owner: string; readonly right: Right } | undefined;
  /** The server's version. */
  version = '';
  /** The time of the newest event by the server's clock, in ms since 1970. */
  timeMs = 0;
  /** How many messages the server has left out because this page read slowly. */
  thinnedCount = 0;
  #incidentCount = 0;

  /** Takes an event. Types that this page does not know are ignored. */
  apply(event: HubEvent): void {
    this.timeMs = event.timeMs;
    switch (event.type) {
      case 'hello':
        this.#hello(event);
        return;
      case 'board': {
        const known = this.boards.get(event.board.name);
        if (known) known.view = event.board;
        else if (this.boards.size < BOARDS_MAX)
          this.boards.set(event.board.name, new BoardState(event.board));
        return;
      }
      case 'history':
        this.boards.get(event.board)?.takeHistory(event.notes);
        return;
      case 'voltages':
        this.boards.get(event.board)?.takeVoltages(event);
        return;
      case 'moments':
        this.boards.get(event.board)?.takeMoments(event);
        return;
      case 'link':
        this.boards.get(event.board)?.takeCounters(event);
        return;
      case 'note':
        this.boards.get(event.board)?.takeNote(event.note);
        return;
      case 'runEnded': {
        const board = this.boards.get(event.board);
        if (board) board.lastRun = event;
        return;
      }
      case 'incident':
        this.incidents = [{ ...event, id: ++this.#incidentCount }, ...this.incidents].slice(0, INCIDENTS_MAX);
        return;
      case 'thinned':
        this.thinnedCount += event.messages;
        return;
      default:
        return;
    }
  }

  /** Whether this observer has `right`. Each right includes those before it in the list `RIGHT`. */
  may(right: Right): boolean {
    return this.observer !== undefined && RIGHTS.indexOf(this.observer.right) >= RIGHTS.indexOf(right);
  }

  /** A server sends `hello` again after each connection. The data of boards that still exist are kept. */
  #hello({ owner, right, version, boards }: HubEventOf<'hello'>): void {
    this.observer = { owner, right };
    this.version = version;
    const names = new Set(boards.map(({ name }) => name));
    for (const name of this.boards.keys()) if (!names.has(name)) this.boards.delete(name);
    for (const view of boards.slice(0, BOARDS_MAX)) {
      const known = this.boards.get(view.name);
      if (known) known.view = view;
      else this.boards.set(view.name, new BoardState(view));
    }
  }
}
