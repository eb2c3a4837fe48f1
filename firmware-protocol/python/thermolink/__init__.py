"""Drives analog thermodynamic boards, real or emulated: solves, samples and relaxes by their physics."""

from .board import Board
from .device.program import Program
from .device.runs import Run, RunReport
from .errors import ThermolinkError
from .mapping.checked_system import factored_system as factored

__version__ = "0.1.0"
__all__ = ["Board", "Program", "Run", "RunReport", "ThermolinkError", "factored"]
