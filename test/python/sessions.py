#!/usr/bin/env python3
"""Things that happen in a session with a board: sessions.py URI… SCENE. Prints one line of JSON, or ends with
an error that says what was wrong."""

import json
import os
import signal
import sys
import threading
import time

import numpy as np
from thermolink import Board, Program, ThermolinkError, factored

PROGRAM = Program(
    mode="dense",
    coupling_bits=8,
    row_attenuation=0,
    couplings=np.array([[64, 0], [0, 64]], np.int8),
    drive=np.array([1000, 0], np.int16),
    initial_state=np.zeros(2, np.int16),
)
# A run so long that only a stop or a deadline ends it.
LONG = {"burn_in_ticks": 2**32 - 1, "sample_count": 1}
A = np.array([[3.0, 1.0], [1.0, 2.0]])


def code_of(call, *args, **kwargs):
    """The code of the error that a call has to raise."""
    try:
        call(*args, **kwargs)
    except ThermolinkError as error:
        return error.code
    sys.exit(f"{call} raised nothing")


def refusals(board):
    """Bad input of every kind, and how many frames went out meanwhile."""
    link = board._device._connection.link
    K, one = np.ones((2, 2)), np.ones(2)
    calls = {
        "nan": (board.solve, [[3, np.nan], [np.nan, 2]], one, 0.1),
        "infinity in b": (board.solve, A, [1, np.inf], 0.1),
        "asymmetric": (board.solve, [[3, 1], [0, 2]], one, 0.1),
        "asymmetric beside small entries": (board.solve, [[1e13, 1], [0.5, 2]], one, 0.1),
        "not square": (board.solve, np.ones((2, 3)), one, 0.1),
        "no matrix": (board.solve, one, one, 0.1),
        "empty": (board.solve, np.ones((0, 0)), [], 0.1),
        "text": (board.solve, "A", one, 0.1),
        "complex": (board.solve, A * 1j, one, 0.1),
        "indefinite": (board.solve, [[1, 2], [2, 1]], one, 0.1),
        "singular": (board.solve, [[1, 1], [1, 1]], one, 0.1),
        "wrong length": (board.solve, A, np.ones(3), 0.1),
        "too large": (board.solve, np.eye(99), np.ones(99), 0.1),
        "a huge unit": (board.solve, A * 1e200, one, 0.1),
        "a tolerance of 0": (board.solve, A, one, 0),
        "a tolerance of 1": (board.solve, A, one, 1.0),
        "a tolerance beyond float64": (board.solve, A, one, 1e-18),
        "a seed below 0": (lambda: board.solve(A, one, 0.1, seed=-1),),
        "a block too high": (lambda: board.sample(A, 4, one, block=65535),),
        "a timeout below 0": (lambda: board.solve(A, one, 0.1, timeout=-1),),
        "no draws": (board.sample, A, 0),
        "too many draws": (board.sample, A, 2**40),
        "a kappa of 0": (lambda: board.sample(A, 4, kappa=0.0),),
        "a negative damping": (board.relax, K, one, -1.0, 1.0),
        "a damping of nan": (board.relax, K, one, float("nan"), 1.0),
        "a time below 0": (board.relax, K, one, 1.0, -1.0),
        "a time too long": (board.relax, K, one, 1.0, 1e30),
        "too many rows": (board.relax, np.ones((99, 2)), one, 1.0, 1.0),
        "noise outside of the register": (lambda: board.relax(K, one, 1.0, 1.0, noise_temperature=1e9),),
        "a factor without damping": (board.solve, factored(np.ones((1, 2)), 0.0), one, 0.1),
        "no program": (board.run, "program"),
        "a drive of other length": (
            board.run,
            Program("dense", 8, 0, np.ones((2, 2), np.int8), np.ones(3, np.int16), np.ones(2, np.int16)),
        ),
        "couplings of another width": (
            board.run,
            Program("dense", 8, 0, np.ones((2, 2), np.int16), np.ones(2, np.int16), np.ones(2, np.int16)),
        ),
    }
    before = link.counters["frames_sent"]
    codes = {name: code_of(*call) for name, call in calls.items()}
    return {"codes": codes, "framesSent": link.counters["frames_sent"] - before}


def zeros(board):
    """Requests that need no board are answered without a board."""
    link = board._device._connection.link
    before = link.counters["frames_sent"]
    answers = [board.solve(A, np.zeros(2), 0.1).x, board.relax(np.ones((1, 2)), np.zeros(2), 1.0, 1.0).x]
    return {"answers": [x.tolist() for x in answers], "framesSent": link.counters["frames_sent"] - before}


def once_running(board, action):
    """Another thread calls `action` as soon as the board says that it runs, at most 30 s from now."""
    def wait():
        until = time.monotonic() + 30
        while board.status()["state"] != "running" and time.monotonic() < until:
            time.sleep(0.02)
        action()

    threading.Thread(target=wait, daemon=True).start()


def stop(board):
    """A stop from another thread ends a run, and the board goes on after `acknowledge`."""
    once_running(board, board.stop)
    began = time.monotonic()
    code = code_of(board.run, PROGRAM, **LONG)
    state = board.status()["state"]
    refused = code_of(board.run, PROGRAM)
    acknowledged = board.acknowledge()
    return {
        "code": code,
        "state": state,
        "refused": refused,
        "acknowledged": acknowledged,
        "seconds": time.monotonic() - began,
        "codes": board.run(PROGRAM, burn_in_ticks=1000).codes.tolist(),
    }


def deadline(board):
    """A run that takes too long is ended on the board, and the next one starts."""
    code = code_of(board.run, PROGRAM, timeout=2.0, **LONG)
    return {
        "code": code,
        "state": board.status()["state"],
        "codes": board.run(PROGRAM, burn_in_ticks=1000).codes.tolist(),
    }


def interrupt(board):
    """Ctrl-C in a run ends it on the board."""
    once_running(board, lambda: os.kill(os.getpid(), signal.SIGINT))
    try:
        board.run(PROGRAM, **LONG)
    except KeyboardInterrupt:
        return {
            "state": board.status()["state"],
            "codes": board.run(PROGRAM, burn_in_ticks=1000).codes.tolist(),
        }
    sys.exit("the run was not interrupted")


def busy(board):
    """A second client gets the error BUSY, and the first client goes on."""
    code = code_of(Board, board._device.uri)
    return {"code": code, "state": board.status()["state"]}


def threads(board):
    """Calls of several threads take turns."""
    answers = {}
    workers = [
        threading.Thread(target=lambda k=k: answers.__setitem__(k, board.solve(A, [k, 1.0], 1e-2).x))
        for k in range(1, 4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    errors = [float(np.linalg.norm(answers[k] - np.linalg.solve(A, [k, 1.0]))) for k in answers]
    return {"count": len(answers), "largest": max(errors)}


def many_blocks(board):
    """A run of many blocks, whose samples all have to come."""
    run = board.run(PROGRAM, burn_in_ticks=0, sample_count=20000, ticks_per_sample=1)
    link = board._device._connection.link
    settled = run.codes[1000:]
    return {
        "samples": len(run.codes),
        "settled": bool((abs(settled - settled[-1]) <= 1).all()),
        "lost": link.counters["sample_frames_lost"],
        "damaged": link.counters["crc"] + link.counters["cobs"],
        "retransmissions": link.counters["retransmissions"],
    }


def watchdog(board):
    """A run that is longer than the watchdog waits (2 s) ends by the stop, not by the watchdog."""
    threading.Timer(3.0, board.stop).start()
    try:
        board.run(PROGRAM, **LONG)
    except ThermolinkError as error:
        board.acknowledge()
        return {
            "outcome": error.data["report"].outcome,
            "codes": board.run(PROGRAM, burn_in_ticks=1000).codes.tolist(),
        }
    sys.exit("the run ended by itself")


def main():
    *uris, scenes = sys.argv[1:]
    if scenes == "open":
        print(json.dumps([code_of(Board, uri, timeout=1.0) for uri in uris]))
        return
    # Each scene has a session of its own. Starting Python and numpy takes longer than most scenes.
    for scene in scenes.split(","):
        with Board(uris[0]) as board:
            print(json.dumps(globals()[scene](board)), flush=True)


main()
