"""A program of the board in device codes."""

import struct
import zlib
from dataclasses import dataclass
from typing import Tuple

import numpy as np

from ..arguments import check_whole
from ..errors import ThermolinkError, bad_argument
from ..wire.crc32c import crc32c
from ..wire.tables import CELLS_MAX, COUPLING_BITS_MAX, COUPLING_BITS_MIN, PROGRAM_MODE, U32_MAX


@dataclass(frozen=True, eq=False)
class Program:
    """The parts of a program that `commit` makes ready (device-model.md, "Formats").

    `mode` is `dense` (the array is A, N×N) or `factored` (A = KᵀK + λI, the array is K, m×N). `couplings` has
    the codes [m × N] within ±(2^(b−1) − 1), b = `coupling_bits`: int8 if b ≤ 8, else int16. `drive` [N] and
    `initial_state` [N] are int16. `damping` λ is in 2⁻¹⁵ G_fs. The noise registers a and s encode V_fs·√(2κh)
    = a·2^(13−s)·2⁻²⁴ V_fs. a = 0 switches the noise off."""

    mode: str
    coupling_bits: int
    row_attenuation: int
    couplings: np.ndarray
    drive: np.ndarray
    initial_state: np.ndarray
    damping: int = 0
    noise_amplitude: int = 0
    noise_shift: int = 8

    @property
    def cells(self) -> int:
        """N."""
        return self.couplings.shape[1]

    @property
    def rows(self) -> int:
        """m; N in dense mode."""
        return self.couplings.shape[0]

    def check(self) -> None:
        """Refuses parts of wrong types or lengths: BAD_ARGUMENT. The board itself refuses a program that does
        not fit."""
        if self.mode not in PROGRAM_MODE:
            raise bad_argument("program.mode", self.mode, "'dense' or 'factored'")
        bits = check_whole("program.coupling_bits", self.coupling_bits, COUPLING_BITS_MIN, COUPLING_BITS_MAX)
        for name in ("row_attenuation", "damping", "noise_amplitude", "noise_shift"):
            check_whole(f"program.{name}", getattr(self, name), 0, U32_MAX)
        _check_codes("program.couplings", self.couplings, np.int8 if bits <= 8 else np.int16, 2)
        check_whole("program.rows", self.rows, 1, CELLS_MAX)
        check_whole("program.cells", self.cells, 1, CELLS_MAX)
        for name in ("drive", "initial_state"):
            codes = getattr(self, name)
            _check_codes(f"program.{name}", codes, np.int16, 1)
            if len(codes) != self.cells:
                raise ThermolinkError(
                    "BAD_ARGUMENT",
                    f"program.{name} has {len(codes)} codes; it must have {self.cells}: one for each cell.",
                )

    def digest(self) -> Tuple[int, int]:
        """CRC-32 and CRC-32C over the program as it travels (protocol.md, "Programs")."""
        data = b"".join(code_bytes(codes) for codes in (self.couplings, self.drive, self.initial_state))
        data += struct.pack("<III", self.damping, self.noise_amplitude, self.noise_shift)
        return zlib.crc32(data), crc32c(data)


def code_bytes(codes: np.ndarray) -> bytes:
    """The bytes of codes as they travel: little-endian, row by row."""
    return np.ascontiguousarray(codes, codes.dtype.newbyteorder("<")).tobytes()


def _check_codes(name: str, codes: object, kind: type, dimensions: int) -> None:
    if isinstance(codes, np.ndarray) and codes.dtype == kind and codes.ndim == dimensions:
        return
    raise bad_argument(name, codes, f"an array of {np.dtype(kind).name} with {dimensions} dimensions")
