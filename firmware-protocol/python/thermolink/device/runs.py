"""One board run: starts it, gives credit, collects its blocks, feeds the watchdog, and waits for its
report."""

from dataclasses import dataclass
from typing import Any, Dict, List, Optional

import numpy as np

from ..errors import ThermolinkError
from ..wire.codec import Received
from ..wire.tables import RUN_OUTCOME
from .block_order import BlockOrder, indices
from .clock import Deadline, now_ms
from .connection import Connection
from .identity import Identity

# The board may be this many blocks ahead of the host (protocol.md, "Credits").
CREDIT_BLOCKS = 16
# After this silence the host repeats its credit and its request for blocks, in ms.
_REPEAT_MS = 200.0
# Blocks that are still missing after this many requests count as lost.
_REQUESTS_MAX = 25
# After this silence in ms the host asks the board whether it is alive. The second number is the longest wait
# for a sign of life, in seconds.
_SILENCE_MS = 2000.0
_SIGN_OF_LIFE_SECONDS = 15.0
# How long the host waits for the report of an aborted run, in seconds.
_ABORT_SECONDS = 2.0
_OUTCOMES = {code: name for name, code in RUN_OUTCOME.items()}


@dataclass(frozen=True)
class RunReport:
    """How a run ended. `outcome` is `completed`, `overload`, `aborted`, `stopped`, `watchdog` or `fault`. The
    lists name at most 32 overloaded cells and rows; the counts include all."""

    run_id: int
    outcome: str
    ticks_done: int
    samples_taken: int
    samples_lost: int
    overloaded_cells: List[int]
    overloaded_cell_count: int
    overloaded_rows: List[int]
    overloaded_row_count: int


@dataclass(frozen=True)
class Run:
    """ADC codes [samples taken × N], int16, and the report. A run that an overload halted has fewer rows."""

    codes: np.ndarray
    report: RunReport


class RunWatcher:
    """Follows one board run. `start` has the fields of the command `start`, and `cells` is N of the
    program."""

    def __init__(self, connection: Connection, identity: Identity, start: Dict[str, Any], cells: int) -> None:
        self._connection = connection
        self._watchdog_ms = start["watchdogMs"]
        self._keeps = start["keepBlocks"] > 0
        self._release_after = max(1, start["keepBlocks"] // 2)
        self._start = start
        self._cells = cells
        self._order = BlockOrder(start["sampleCount"], cells, self._keeps)
        self._granted = CREDIT_BLOCKS
        self._released = 0
        self._requests = 0
        self._run_id: Optional[int] = None
        self._early: List[Received] = []
        self._ended: Optional[Dict[str, Any]] = None
        self._contradicts = False
        self._asked: Optional[int] = None
        now = now_ms()
        self._fed_ms = self._repeated_ms = self._asked_ms = now

    def finish(self, deadline: Deadline) -> Run:
        """Starts the run and waits for its end. After an error or Ctrl-C it ends the run on the board.
        Errors: TIMEOUT, SAMPLES_LOST, RUN_ENDED, DEVICE_FAULT, DEVICE_REFUSED, those of the link."""
        self._connection.on_event = self._take
        try:
            answer = self._connection.request("start", deadline, **self._start)
            self._run_id = answer["runId"]
            for event in self._early:
                self._take(event)
            ended = self._connection.wait_for(self._look, deadline)
            if ended is None:
                raise ThermolinkError(
                    "TIMEOUT",
                    f"Run {self._run_id} was not done within {deadline.seconds:g} s.",
                    "Ask for fewer ticks, or give it more time.",
                )
            return self._result()
        except BaseException:
            self._leave()
            raise
        finally:
            self._connection.on_event = lambda event: None

    def _leave(self) -> None:
        """Ends a run whose report nobody waits for. A failure here is ignored, because the caller already has
        the first error."""
        if self._run_id is None or self._ended is not None or self._connection.failure is not None:
            return
        try:
            limit = Deadline(_ABORT_SECONDS)
            self._connection.request("abort", limit, runId=self._run_id)
            # The board refuses a new start before it has reported this run.
            self._connection.wait_for(lambda: self._ended, limit)
        except ThermolinkError:
            pass

    def _take(self, event: Received) -> None:
        if self._run_id is None:
            # Before its answer to `start` the board sends at most the blocks of the first credit.
            if len(self._early) <= CREDIT_BLOCKS:
                self._early.append(event)
            return
        fields = event.fields
        if fields["runId"] != self._run_id:
            return
        if event.name == "sampleBlock":
            self._take_block(fields)
        elif event.name == "blocksSent":
            self._note_sent(min(fields["blocks"], self._granted))
            self._give_credit()
        elif event.name == "runEnded":
            self._ended = fields
            if fields["outcome"] in (RUN_OUTCOME["completed"], RUN_OUTCOME["overload"]):
                self._note_sent(min(fields["blocksSent"], self._granted))
            else:
                # The board keeps no blocks of a run that ended early (protocol.md, "End of a run").
                self._order.give_up()

    def _take_block(self, block: Dict[str, Any]) -> None:
        sent_before = self._order.sent
        if block["block"] >= self._granted or not self._order.take(block):
            self._contradicts = True
            return
        self._requests = 0
        self._repeated_ms = now_ms()
        self._ask_for(sent_before, block["block"])
        is_credit_due = self._order.settled + CREDIT_BLOCKS - self._granted >= CREDIT_BLOCKS // 2
        if is_credit_due or (self._keeps and self._order.settled - self._released >= self._release_after):
            self._give_credit()

    def _note_sent(self, blocks: int) -> None:
        sent_before = self._order.sent
        self._order.note_sent(blocks)
        self._ask_for(sent_before, blocks)

    def _ask_for(self, first: int, end: int) -> None:
        """Asks for the blocks from `first` to `end` − 1 again (protocol.md, "Kept blocks")."""
        if self._keeps and end > first:
            self._connection.send_sample_event(
                "resend", runId=self._run_id, firstBlock=first, count=end - first
            )

    def _give_credit(self) -> None:
        if self._ended is not None:
            return
        granted = max(self._granted, self._order.settled + CREDIT_BLOCKS)
        released = self._order.settled
        if self._connection.send_sample_event(
            "credit", runId=self._run_id, blocks=granted, released=released
        ):
            self._granted, self._released = granted, released

    def _look(self) -> Optional[bool]:
        """True when the run is over and no block is missing, otherwise None. `wait_for` calls it again and
        again."""
        if self._contradicts:
            raise ThermolinkError(
                "NOT_A_BOARD",
                f"The board on {self._connection.port.name} sent a sample block that contradicts its run.",
                "Its firmware does not follow the protocol.",
            )
        if self._order.has_gap:
            raise self._lost_error()
        if self._ended is not None and self._order.missing is None:
            return True
        now = now_ms()
        if now - self._fed_ms >= self._watchdog_ms / 4:
            self._fed_ms = now
            self._connection.link.keep_alive()
        if now - self._repeated_ms >= _REPEAT_MS:
            self._repeated_ms = now
            self._repeat()
        self._ask_whether_alive(now)
        return None

    def _repeat(self) -> None:
        """Repeats the two messages that may have been lost: the credit and the request for blocks."""
        missing = self._order.missing
        if missing is not None:
            self._requests += 1
            if self._requests > _REQUESTS_MAX:
                self._order.give_up()
            else:
                self._ask_for(missing[0], missing[0] + missing[1])
        self._give_credit()

    def _ask_whether_alive(self, now: float) -> None:
        """Sends a `ping` after a long silence, and raises LINK_LOST if nothing comes after it. A keep-alive
        would not show a dead board, because a board does not acknowledge it."""
        heard = self._connection.link.last_heard_ms or 0.0
        if self._asked is not None:
            if heard > self._asked_ms:
                self._connection.forget([self._asked])
                self._asked = None
            elif now - self._asked_ms > _SIGN_OF_LIFE_SECONDS * 1000.0:
                raise ThermolinkError(
                    "LINK_LOST",
                    f"The board on {self._connection.port.name} fell silent during a run.",
                    "Check its power and its cable.",
                    retryable=True,
                )
        elif (
            self._ended is None
            and now - max(heard, self._asked_ms) > _SILENCE_MS
            and self._connection.link.can_send
        ):
            self._asked_ms = now
            self._asked = self._connection.submit("ping", token=0)

    def _result(self) -> Run:
        report = report_of(self._ended or {})
        if report.outcome == "fault":
            raise ThermolinkError(
                "DEVICE_FAULT",
                f"The board latched a fault during run {report.run_id}.",
                "Read its status, remove the cause and acknowledge the fault.",
                data={"report": report},
            )
        if report.outcome not in ("completed", "overload"):
            raise ThermolinkError(
                "RUN_ENDED",
                f"Run {report.run_id} ended early: {report.outcome}.",
                "The host was busy or stopped for longer than the watchdog waits: run it again."
                if report.outcome == "watchdog"
                else "Somebody ended it: acknowledge a stop, then run it again.",
                retryable=report.outcome == "watchdog",
                data={"report": report},
            )
        taken = min(report.samples_taken, len(self._order.codes))
        if report.samples_lost > 0 or self._order.codes_received < taken * self._cells:
            raise self._lost_error()
        return Run(self._order.codes[:taken], report)

    def _lost_error(self) -> ThermolinkError:
        return ThermolinkError(
            "SAMPLES_LOST",
            f"Samples of run {self._run_id} were lost.",
            "The same run seed gives the same samples: run it again.",
            retryable=True,
        )


def report_of(fields: Dict[str, Any]) -> RunReport:
    """The report in `runEnded`."""
    return RunReport(
        run_id=fields["runId"],
        outcome=_OUTCOMES[fields["outcome"]],
        ticks_done=fields["ticksDone"],
        samples_taken=fields["samplesTaken"],
        samples_lost=fields["samplesLost"],
        overloaded_cells=indices(fields["overloadedCells"]),
        overloaded_cell_count=fields["overloadedCellCount"],
        overloaded_rows=indices(fields["overloadedRows"]),
        overloaded_row_count=fields["overloadedRowCount"],
    )
