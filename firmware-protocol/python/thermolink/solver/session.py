"""One use of a board. It chooses the run seed of each board run, and sends couplings only if they changed.
After an overload it repeats the run at a larger scale. It adds up the cost of the use."""

from dataclasses import dataclass
from typing import Callable, Optional, TypeVar, Union

import numpy as np

from ..device.clock import Deadline
from ..device.device import Device
from ..device.identity import Identity
from ..device.program import Program
from ..device.runs import Run, RunReport
from ..device.upload import CommitReport
from ..errors import ThermolinkError
from ..linalg.philox import run_seed_of

_BANK = 0
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class RunAddress:
    """The name of one use of the board. The noise of the use is a pure function of (seed, step, block). Two
    uses must not have the same name."""

    seed: int
    step: int = 0
    block: int = 0


@dataclass
class Cost:
    """The cost of a use of the board: ticks, seconds of the board's own time (modelled), board runs,
    overloads, bytes of codes, and how many codes the board clamped."""

    ticks: int = 0
    board_seconds: float = 0.0
    board_runs: int = 0
    overload_retries: int = 0
    upload_bytes: int = 0
    clamped_codes: int = 0


@dataclass(frozen=True)
class Overload:
    """An attempt that ended because a cell reached its rail."""

    report: RunReport


@dataclass(frozen=True)
class RetryAt:
    """An attempt that should be made at another scale."""

    scale: float


class BoardSession:
    """Programs and board runs of one use. Make the object while no other thread uses the board."""

    def __init__(self, device: Device, address: RunAddress, deadline: Deadline) -> None:
        self.identity: Identity = device.identity
        self.cost = Cost()
        self._device = device
        self._address = address
        self._deadline = deadline
        self._held: Optional[np.ndarray] = None
        self._attempt = 0
        self._run_seed = 0
        self._next_tick = 0

    def readdress(self, address: RunAddress) -> None:
        """Gives the board runs from here on the noise of another address."""
        self._address = address
        self._attempt = 0

    def program(self, program: Program) -> CommitReport:
        """Puts a program into the board. If the board already has the same `couplings` array, only the rest
        is sent."""
        is_held = self._held is program.couplings
        # The content of the bank is unknown until the commit is answered.
        self._held = None
        put = self._device.rewrite_program if is_held else self._device.load_program
        report = put(_BANK, program, self._deadline)
        self._held = program.couplings
        sent = program.drive.nbytes + program.initial_state.nbytes
        self.cost.upload_bytes += sent if is_held else sent + program.couplings.nbytes
        clamped = report["clampedCouplings"] + report["clampedNoiseCodes"]
        self.cost.clamped_codes = max(self.cost.clamped_codes, clamped)
        return report

    def acquire(
        self, burn_in_ticks: int, sample_count: int, ticks_per_sample: int, continues: bool = False
    ) -> Run:
        """Runs the program and reads the cells. With `continues` it continues the previous run: same noise,
        next tick, and the present state of the board. An overload is a result here, not an error."""
        if not continues:
            address = self._address
            self._run_seed = run_seed_of(address.seed, address.step, address.block, self._attempt)
            self._attempt += 1
            self._next_tick = 0
        run = self._device.acquire(
            _BANK,
            self._run_seed,
            burn_in_ticks,
            sample_count,
            ticks_per_sample,
            self._deadline,
            first_tick=self._next_tick,
            keeps_state=continues,
        )
        self._next_tick += run.report.ticks_done
        self.cost.ticks += run.report.ticks_done
        self.cost.board_seconds += run.report.ticks_done * self.identity.tick * self.identity.tau_ns * 1e-9
        self.cost.board_runs += 1
        if run.report.outcome == "overload":
            self.cost.overload_retries += 1
        return run

    def ranged(
        self,
        first_scale: float,
        attempts_max: int,
        attempt: Callable[[float, float], Union[Answer, Overload, RetryAt]],
        give_up: Callable[[float, Optional[RunReport]], ThermolinkError],
    ) -> Answer:
        """Makes attempts until one has an answer. The first attempt is at `first_scale`. After an overload
        the next one is at twice the scale, otherwise at the scale that the attempt asks for. `attempt` gets
        its scale, and twice the last scale that overloaded, or 0. Errors: that of `give_up` after
        `attempts_max` attempts."""
        scale, scale_min, report = first_scale, 0.0, None
        last_scale = scale
        for _ in range(attempts_max):
            last_scale = scale
            outcome = attempt(scale, scale_min)
            if isinstance(outcome, Overload):
                report = outcome.report
                scale *= 2
                scale_min = scale
            elif isinstance(outcome, RetryAt):
                scale = outcome.scale
            else:
                return outcome
        raise give_up(last_scale, report)


def overload_error(what: str, hint: str, report: Optional[RunReport], identity: Identity) -> ThermolinkError:
    """The error OVERLOAD: what happened, and which cells and rows the last board run flagged."""
    places = []
    if report is not None and report.overloaded_cells:
        places.append(
            f"{cell_list(report.overloaded_cells, report.overloaded_cell_count)} stood at the rail of "
            f"±{identity.rail_volts:g} V_fs"
        )
    if report is not None and report.overloaded_rows:
        rows = cell_list(report.overloaded_rows, report.overloaded_row_count, "row")
        places.append(f"{rows} reached the limit of the row amplifiers")
    where = f" In the last run {'; '.join(places)}." if places else ""
    data = (
        {}
        if report is None
        else {"overloaded_cells": report.overloaded_cells, "overloaded_rows": report.overloaded_rows}
    )
    return ThermolinkError("OVERLOAD", what + where, hint, data=data)


def cell_list(cells: list, count: int, noun: str = "cell") -> str:
    """Text for a list of cells, such as `cells 0, 1, 7 and 12 more`."""
    shown = ", ".join(str(cell) for cell in cells[:8])
    more = f" and {count - 8} more" if count > 8 else ""
    return f"{noun}{'' if count == 1 else 's'} {shown}{more}"
