"""Progress is shown where somebody looks, and logged where somebody asks."""

import io
import logging
import sys
import types

import pytest

import pynn_brainscales1 as sim
from pynn_brainscales1 import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_has_a_line_that_goes_away(begin, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    begin(backend="reference", progress=True)
    sim.Population(5000, sim.IF_cond_exp())
    sim.run(5000.0)
    text = terminal.getvalue()
    assert "running" in text and "%" in text and text.endswith("\r")
    begin(backend="reference", progress=False)
    assert progress.display_for(False) is None
    # what is over at once is not shown
    begin(backend="reference", progress=True)
    monkeypatch.setattr(progress, "PATIENCE", 60.0)
    sim.run(1.0)
    assert terminal.getvalue() == text


def test_a_notebook_has_a_bar_that_goes_away(monkeypatch):
    class ZMQInteractiveShell:
        pass

    shown = []

    def display(thing, display_id):
        shown.append(thing)
        return types.SimpleNamespace(update=shown.append)

    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=ZMQInteractiveShell))
    monkeypatch.setitem(sys.modules, "IPython.display", types.SimpleNamespace(HTML=str, display=display))
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    bar = progress.display_for(True)()
    bar("placement", float("nan"))
    bar("emulating", 0.5)
    bar.close()
    assert shown == ["<progress></progress> placement",
                     '<progress value="0.500"></progress> emulating', ""]


@pytest.mark.parametrize("backend", ["reference", "emulator"])
def test_mapping_and_runs_are_logged(begin, caplog, backend):
    with caplog.at_level(logging.INFO, logger="pynn_brainscales1"):
        begin(backend=backend)
        sim.Population(3, sim.IF_cond_exp(tau_refrac=2.0))
        sim.run(10.0)
        sim.run(10.0)
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0].startswith("setup: ")
    assert sum(line.startswith("mapped 3 neurons") for line in lines) == (backend == "emulator")
    assert [line.split(" in ")[0] for line in lines[-2:]] == ["ran from 0 to 10 ms", "ran from 10 to 20 ms"]
