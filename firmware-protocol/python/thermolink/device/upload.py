"""Uploads programs in chunks and commits them by their digest (protocol.md, "Programs")."""

from collections import deque
from typing import Any, Deque, Dict

from ..wire.tables import NO_ROW_ELEMENT, PROGRAM_MODE
from .clock import Deadline
from .connection import Connection
from .program import Program, code_bytes

# Largest number of bytes that a write command has besides its codes.
_OVERHEAD_BYTES = 32
# Deadline of a write, in seconds. It is long, because a slow line needs it and the link notices a dead line
# sooner.
_WRITE_SECONDS = 30.0
# Largest number of write commands that may wait for their answers.
_AHEAD_MAX = 16

CommitReport = Dict[str, Any]


class Uploader:
    """Puts programs into banks. `deadline` bounds the whole call."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def load(self, bank: int, program: Program, deadline: Deadline) -> CommitReport:
        """Uploads a whole program and commits it. Returns the answer of `commit`."""
        self._connection.request(
            "defineProgram",
            deadline,
            bank=bank,
            mode=PROGRAM_MODE[program.mode],
            cells=program.cells,
            rows=program.rows,
            couplingBits=program.coupling_bits,
            rowAttenuation=program.row_attenuation,
            linearRows=NO_ROW_ELEMENT,
        )
        self._write("writeCouplings", "firstEntry", bank, program.couplings, deadline)
        return self.rewrite(bank, program, deadline)

    def rewrite(self, bank: int, program: Program, deadline: Deadline) -> CommitReport:
        """Uploads everything except the couplings, and commits. The bank must already hold the couplings of
        the program."""
        self._write("writeDrive", "firstCell", bank, program.drive, deadline)
        self._write("writeInitialState", "firstCell", bank, program.initial_state, deadline)
        self._connection.request(
            "setRegisters",
            deadline,
            bank=bank,
            damping=program.damping,
            noiseAmplitude=program.noise_amplitude,
            noiseShift=program.noise_shift,
        )
        crc32, castagnoli = program.digest()
        return self._connection.request("commit", deadline, bank=bank, crc32=crc32, crc32c=castagnoli)

    def _write(self, command: str, place: str, bank: int, codes: Any, deadline: Deadline) -> None:
        width, data = codes.dtype.itemsize, code_bytes(codes)
        chunk = (self._connection.link.payload_bytes_max - _OVERHEAD_BYTES) // width * width
        ahead: Deque[int] = deque()
        try:
            for start in range(0, len(data), chunk):
                if len(ahead) >= _AHEAD_MAX:
                    self._connection.answer(ahead.popleft(), deadline, _WRITE_SECONDS)
                ahead.append(
                    self._connection.submit(
                        command,
                        deadline,
                        _WRITE_SECONDS,
                        bank=bank,
                        codes=data[start : start + chunk],
                        **{place: start // width},
                    )
                )
            while ahead:
                self._connection.answer(ahead.popleft(), deadline, _WRITE_SECONDS)
        finally:
            self._connection.forget(list(ahead))
