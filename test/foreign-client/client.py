#!/usr/bin/env python3
"""Solves A x = b on a board, for A symmetric positive definite: identifies the board, loads the
system, and reads the voltages at which the cells settle.

    client.py ADDRESS [--system '{"A": [[0.5, …], …], "b": [0.1, …]}'] [--relaxation 200]
        [--table-hash HEX] [--minor M]

ADDRESS: /dev/ttyACM0, a pseudo-terminal, or socket://HOST:PORT. A is in units of G_fs (entries below 1 in
magnitude), b in V_fs·G_fs, x in V_fs. `--relaxation` is the number of τ for which the board relaxes before it
is read. Prints one line of JSON. Written from docs/reference/protocol.md and docs/reference/device-model.md
alone. Needs Debian's python3-serial and python3-msgpack.
"""
import argparse
import json
import struct
import sys
import zlib

from board import PING, READ_STATUS, TABLE_HASH, VERSION, Board, BoardError

DEFINE_PROGRAM, WRITE_COUPLINGS, WRITE_DRIVE, WRITE_INITIAL_STATE, SET_REGISTERS, COMMIT = range(16, 22)
START = 32
DENSE, LOAD, HOLD, HALT = 0, 0, 0, 0
COMPLETED = 0
BANK, WATCHDOG_MS = 0, 2000
STATES = ["boot", "safe", "idle", "configured", "running", "done", "halted", "fault"]
OUTCOMES = ["completed", "overload", "aborted", "stopped", "watchdog", "fault"]
# A chain of four cells: conductances of 0.375 G_fs between neighbours, and from both ends to ground.
CHAIN = {"A": [[0.75, -0.375, 0, 0], [-0.375, 0.75, -0.375, 0], [0, -0.375, 0.75, -0.375], [0, 0, -0.375, 0.75]],
         "b": [0.1875, 0, 0, 0]}


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def codes(numbers, per_unit, bits, what):
    most = 2 ** (bits - 1) - 1
    rounded = [round(number * per_unit) for number in numbers]
    if max(map(abs, rounded)) > most:
        raise BoardError(f"{what} exceeds the board's range of {most / per_unit}")
    return rounded


def load(board, matrix, vector):
    """Writes the program into bank 0 and commits it."""
    identity, n = board.identity, len(vector)
    if n > identity["cells"]:
        raise BoardError(f"{n} unknowns, the board has {identity['cells']} cells")
    bits = identity["couplingBits"]
    entries = codes([entry for row in matrix for entry in row], 2 ** (bits - 1), bits, "A")
    drive_unit = 2 ** identity["driveBits"] / (2 * identity["driveRange"])
    couplings = struct.pack(f"<{n * n}{'b' if bits <= 8 else 'h'}", *entries)
    drive = struct.pack(f"<{n}h", *codes(vector, drive_unit, identity["driveBits"], "b"))
    initial = bytes(2 * n)
    damping, noise_amplitude, noise_shift = 0, 0, identity["noiseShiftMin"]
    board.request(DEFINE_PROGRAM, BANK, DENSE, n, n, bits, 0)
    # A frame has 12 bytes of header and CRC. Its message has at most 16 bytes besides the codes.
    step = (identity["frameBytes"] - 28) // 2 * 2
    for first in range(0, len(couplings), step):
        entry = first // (1 if bits <= 8 else 2)
        board.request(WRITE_COUPLINGS, BANK, entry, couplings[first:first + step])
    board.request(WRITE_DRIVE, BANK, 0, drive)
    board.request(WRITE_INITIAL_STATE, BANK, 0, initial)
    board.request(SET_REGISTERS, BANK, damping, noise_amplitude, noise_shift)
    data = couplings + drive + initial + struct.pack("<III", damping, noise_amplitude, noise_shift)
    board.request(COMMIT, BANK, zlib.crc32(data), crc32c(data), timeout=10.0)


def solve(board, matrix, vector, relaxation):
    """The voltages at which the cells have settled, in V_fs, and the report of the run."""
    n, identity = len(vector), board.identity
    load(board, matrix, vector)
    ticks = relaxation << identity["tickLog2"]
    (run_id,) = board.request(START, BANK, 1, 0, LOAD, ticks, 1, 0, 0, HOLD, HALT, WATCHDOG_MS, 1024, 0)[:1]
    report = board.wait_for_run(run_id)
    if report[1] != COMPLETED:
        raise BoardError(f"the run ended with {OUTCOMES[report[1]]}")
    volts = [None] * n
    for block_run, _, _, _, first_cell, cell_count, sample_count, _, data in (fields[:9] for fields in board.blocks):
        if block_run == run_id and sample_count == 1:
            for cell, code in enumerate(struct.unpack(f"<{cell_count}h", data), first_cell):
                # The ADC spans ±2 V_fs.
                volts[cell] = code * 4 / 2 ** identity["adcBits"]
    if None in volts:
        raise BoardError("a sample block was lost")
    return volts, report[2]


def main():
    parser = argparse.ArgumentParser(description="Solves A x = b on a board.")
    parser.add_argument("address")
    parser.add_argument("--system", type=json.loads, default=CHAIN)
    parser.add_argument("--relaxation", type=int, default=200)
    parser.add_argument("--table-hash", default=TABLE_HASH)
    parser.add_argument("--minor", type=int, default=VERSION[1])
    options = parser.parse_args()
    try:
        board = Board(options.address, options.table_hash, (VERSION[0], options.minor))
        token, _ = board.request(PING, 4242)[:2]
        solution, ticks = solve(board, options.system["A"], options.system["b"], options.relaxation)
        state = STATES[board.request(READ_STATUS)[0]]
        board.close()
    except BoardError as error:
        sys.exit(f"client.py: {error}")
    identity = {key: value for key, value in board.identity.items() if not isinstance(value, bytes)}
    print(json.dumps({"identity": identity, "token": token, "solution": solution, "ticks": ticks, "state": state}))


if __name__ == "__main__":
    main()
