"""The program `bss1`, as the wheel installs it."""

import signal
import sys

from . import _core


def main():
    """Runs the program and ends the interpreter with its status."""
    # the program has no Python to interrupt
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(_core.program(["bss1", *sys.argv[1:]]))
