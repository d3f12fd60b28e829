"""The conformance checks of this project, on both engines."""

import pathlib
import re
import subprocess
import sys

import pytest

RUNNER = pathlib.Path(__file__).with_name("pynn_conformance.py")


def counts(*arguments):
    done = subprocess.run([sys.executable, RUNNER, "pynn_brainscales1", *arguments],
                          capture_output=True, text=True, timeout=1200)
    last = done.stdout.splitlines()[-1]
    found = re.fullmatch(r"(\d+) passed, (\d+) failed(?:, (\d+) skipped)?", last)
    assert found, done.stdout[-2000:] + done.stderr[-2000:]
    failures = [line for line in done.stdout.splitlines() if line.startswith("FAIL")]
    return [int(n or 0) for n in found.groups()], failures


def test_reference_engine():
    assert counts("--setup", 'backend="reference"') == ([120, 0, 0], [])


@pytest.mark.parametrize("readout", ["adc", "probe"])
def test_emulated_wafer(readout):
    assert counts("--profile", "hardware", "--setup", 'wafer="ideal"', "--setup",
                  f'readout="{readout}"') == ([108, 0, 12], [])
