"""Solves A x = b by the equilibrium of a board."""

from dataclasses import replace
from typing import Optional

import numpy as np

from ..errors import ThermolinkError
from .acceptance import is_of_codes
from .combined import CombinedRefinement
from .plan import SolvePlans
from .refinement import Refinement
from .result import SolveResult
from .session import BoardSession


def solve(plans: SolvePlans, session: BoardSession, drive: np.ndarray, tolerance: float) -> SolveResult:
    """The answer for b = `drive` [N], not 0. If the plan programs the system itself, passes refine the
    answer. If it programs a damped system, the host combines the readings. If a plan makes no progress, the
    next plan begins anew. Errors: those of the first plan; those of the device."""
    first: Optional[ThermolinkError] = None
    passes = 0
    while True:
        plan = plans.current
        kind = Refinement if plan.damping == 0 else CombinedRefinement
        refinement = kind(plan, session, drive, tolerance)
        try:
            answer = refinement.run()
            return replace(answer, passes=passes + answer.passes)
        except ThermolinkError as error:
            first = first or error
            passes += refinement.passes
            if not is_of_codes(error):
                raise
            if not plans.advance():
                raise first from None
