import { describe, expect, it } from 'vitest';
import { stopBoardsOnExit } from '../../src/index.js';

const EVENTS = ['uncaughtException', 'unhandledRejection', 'SIGINT', 'SIGTERM', 'SIGHUP'];
const listeners = (): number[] => EVENTS.map((event) => process.listenerCount(event));

describe('stopBoardsOnExit', () => {
  it('adds its listeners once for any number of calls, and removes them with the last undoing', () => {
    const before = listeners();
    const undo = Array.from({ length: 20 }, () => stopBoardsOnExit());
    expect(listeners()).toEqual(before.map((count) => count + 1));
    for (const one of undo.slice(1)) one();
    // Undoing one call twice must not undo another call.
    undo[1]();
    expect(listeners()).toEqual(before.map((count) => count + 1));
    undo[0]();
    expect(listeners()).toEqual(before);
  });

  it('leaves signals alone as long as no call asks for them', () => {
    const before = listeners();
    const undoCrashes = stopBoardsOnExit({ signals: false });
    expect(listeners()).toEqual(before.map((count, i) => count + (i < 2 ? 1 : 0)));
    const undoAll = stopBoardsOnExit();
    expect(listeners()).toEqual(before.map((count) => count + 1));
    undoAll();
    expect(listeners()).toEqual(before.map((count, i) => count + (i < 2 ? 1 : 0)));
    undoCrashes();
    expect(listeners()).toEqual(before);
  });
});
