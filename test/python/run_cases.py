#!/usr/bin/env python3
"""Runs cases on a board: run_cases.py URI < cases.json. A case has a `call` of `Board` and its arguments by
name, and for every board that is opened anew. Prints one line of JSON a case: the programs and board runs
that were sent, in order, their readings, and the result or the code of the error. Floats are printed so that
they read back to the same bits."""

import dataclasses
import hashlib
import json
import sys

import numpy as np
from thermolink import Board, ThermolinkError, factored
from thermolink.device.device import Device


def record(sent):
    """Makes every device store in `sent` the programs and runs that it is given, from now on."""
    load, rewrite, acquire = Device.load_program, Device.rewrite_program, Device.acquire

    def program_note(kind, bank, program):
        return {
            "kind": kind,
            "bank": bank,
            "mode": program.mode,
            "couplingBits": program.coupling_bits,
            "rowAttenuation": program.row_attenuation,
            "rows": program.rows,
            "cells": program.cells,
            "couplings": program.couplings.ravel().tolist(),
            "drive": program.drive.tolist(),
            "initialState": program.initial_state.tolist(),
            "damping": program.damping,
            "noiseAmplitude": program.noise_amplitude,
            "noiseShift": program.noise_shift,
        }

    def noted_load(self, bank, program, deadline):
        sent.append(program_note("load", bank, program))
        return load(self, bank, program, deadline)

    def noted_rewrite(self, bank, program, deadline):
        sent.append(program_note("rewrite", bank, program))
        return rewrite(self, bank, program, deadline)

    def noted_acquire(
        self,
        bank,
        run_seed,
        burn_in_ticks,
        sample_count,
        ticks_per_sample,
        deadline,
        first_tick=0,
        keeps_state=False,
        **rest,
    ):
        run = acquire(
            self,
            bank,
            run_seed,
            burn_in_ticks,
            sample_count,
            ticks_per_sample,
            deadline,
            first_tick=first_tick,
            keeps_state=keeps_state,
            **rest,
        )
        sent.append(
            {
                "kind": "run",
                "runSeed": run_seed,
                "firstTick": first_tick,
                "keepState": keeps_state,
                "burnInTicks": burn_in_ticks,
                "sampleCount": sample_count,
                "ticksPerSample": ticks_per_sample,
                "outcome": run.report.outcome,
                "ticksDone": run.report.ticks_done,
                "readings": hashlib.sha256(run.codes.astype("<i2").tobytes()).hexdigest(),
            }
        )
        return run

    Device.load_program, Device.rewrite_program, Device.acquire = noted_load, noted_rewrite, noted_acquire


def plain(value):
    if isinstance(value, np.ndarray):
        return value.tolist()
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return value


def arguments_of(case):
    """The arguments of a call; a factored A is given as an object."""
    given = dict(case["arguments"])
    if isinstance(given.get("A"), dict):
        given["A"] = factored(**given["A"])
    return given


def main():
    sent = []
    record(sent)
    with Board(sys.argv[1]) as board:
        for case in json.load(sys.stdin):
            sent.clear()
            outcome = {}
            try:
                outcome["result"] = plain(getattr(board, case["call"])(**arguments_of(case)))
            except ThermolinkError as error:
                outcome["error"] = error.code
            print(json.dumps({"sent": sent, **outcome}))


main()
