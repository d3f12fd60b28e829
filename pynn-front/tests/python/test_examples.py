"""The example scripts, on both engines: the wafer's network does what the ideal one does."""

import importlib.util
import pathlib

import pytest

import pynn_brainscales1 as sim

EXAMPLES = pathlib.Path(__file__).parents[2] / "python" / "examples"


def example(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_vogels_abbott():
    run = example("vogels_abbott").vogels_abbott
    rate, irregularity = run(sim, backend="reference")
    assert 5 < rate < 100 and irregularity > 0.3
    wafer, scatter = run(sim, wafer="ideal", progress=False)
    assert wafer == pytest.approx(rate, rel=0.35)
    assert scatter == pytest.approx(irregularity, abs=0.25)
