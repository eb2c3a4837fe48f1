"""Rounds a mapped problem to device codes, and gives the problem that the codes stand for."""

import math
from dataclasses import dataclass, replace

import numpy as np

from ..device.identity import Identity
from ..device.program import Program
from ..linalg.systems import DenseSystem, FactoredSystem, System, without_damping
from ..wire.tables import DAMPING_MAX
from .noise_register import NoiseRegister
from .scaling import DAMPING_STEP, STATE_STEP, Scaling

_STATE_CODE_MAX = 32767


@dataclass(frozen=True, eq=False)
class SystemCodes:
    """The part of a program that belongs to A: codes of (A − λI)/s_A or K/√s_A, and of λ/s_A."""

    mode: str
    coupling_bits: int
    row_attenuation: int
    couplings: np.ndarray
    damping: int

    @property
    def cells(self) -> int:
        """N."""
        return self.couplings.shape[1]

    def plus(self, damping: int) -> "SystemCodes":
        """The same codes with `damping` added to the damping register."""
        return replace(self, damping=self.damping + damping)

    def program(self, drive: np.ndarray, initial_state: np.ndarray, noise: NoiseRegister) -> Program:
        """A whole program with drive codes [N] and state codes [N]. Its `couplings` array is the same object
        as here."""
        return Program(
            self.mode,
            self.coupling_bits,
            self.row_attenuation,
            self.couplings,
            drive,
            initial_state,
            self.damping,
            noise.amplitude,
            noise.shift,
        )


def quantize_vector(values: np.ndarray, factor: float, limit: int) -> np.ndarray:
    """clamp(roundHalfEven(factor · values), ± limit), int16."""
    return np.clip(np.rint(factor * values), -limit, limit).astype(np.int16)


def quantize_system(system: System, scaling: Scaling, damping: float = 0.0) -> SystemCodes:
    """The codes nearest to A. `damping` is the λ of a dense system that is stored in the register and not in
    the crosspoints."""
    scale, bits = scaling.system_scale, scaling.coupling_bits
    unit = 2.0 ** (bits - 1)
    is_dense = system.kind == "dense"
    damping_code = min(
        DAMPING_MAX, int(np.rint((damping if is_dense else system.damping) / (DAMPING_STEP * scale)))
    )
    if is_dense:
        source, factor = without_damping(system.array, damping_code * DAMPING_STEP * scale), unit / scale
    else:
        source, factor = system.array, unit / math.sqrt(scale)
    limit = 2 ** (bits - 1) - 1
    couplings = np.clip(np.rint(factor * source), -limit, limit).astype(np.int8 if bits <= 8 else np.int16)
    return SystemCodes(system.kind, bits, scaling.row_attenuation, couplings, damping_code)


def programmed_system(codes: SystemCodes, system_scale: float) -> System:
    """A_q: the system that the codes stand for, in the problem's own units."""
    unit = 2.0 ** (1 - codes.coupling_bits)
    damping = codes.damping * DAMPING_STEP * system_scale
    values = codes.couplings.astype(np.float64)
    if codes.mode == "dense":
        return DenseSystem(without_damping(values * (unit * system_scale), -damping))
    return FactoredSystem(values * (unit * math.sqrt(system_scale)), damping)


def quantize_drive(drive: np.ndarray, scaling: Scaling, identity: Identity) -> np.ndarray:
    """Drive codes [N] of b: roundHalfEven(b/(s_A·s_x)/LSB), clamped."""
    factor = 1 / (scaling.system_scale * scaling.solution_scale * identity.drive_step)
    return quantize_vector(drive, factor, 2 ** (identity.drive_bits - 1) - 1)


def programmed_drive(codes: np.ndarray, scaling: Scaling, identity: Identity) -> np.ndarray:
    """b_q [N]: the drive that the codes stand for, in the problem's own units."""
    return scaling.system_scale * scaling.solution_scale * identity.drive_step * codes.astype(np.float64)


def quantize_initial_state(initial: np.ndarray, solution_scale: float) -> np.ndarray:
    """State codes [N] of x₀: roundHalfEven(2¹⁴·x₀/s_x), clamped."""
    return quantize_vector(initial, 1 / (solution_scale * STATE_STEP), _STATE_CODE_MAX)


def read_out(codes: np.ndarray, solution_scale: float, identity: Identity) -> np.ndarray:
    """x of ADC codes, or of a mean of codes."""
    return solution_scale * identity.adc_step * np.asarray(codes, dtype=np.float64)
