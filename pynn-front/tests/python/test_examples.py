"""The example scripts, on both engines: the wafer's network does what the ideal one does."""

import importlib.util
import pathlib

import nbclient
import nbformat
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


def test_brunel():
    run = example("brunel").brunel
    rate, irregularity = run(sim, backend="reference")
    assert 5 < rate < 200 and irregularity > 0.3
    wafer, scatter = run(sim, wafer="ideal", progress=False)
    assert wafer == pytest.approx(rate, rel=0.3)
    assert scatter == pytest.approx(irregularity, abs=0.25)


def test_synfire_chain():
    run = example("synfire_chain").synfire_chain
    for keywords in ({"backend": "reference"}, {"wafer": "ideal", "progress": False}):
        times, fired = zip(*run(sim, **keywords))
        assert all(a < b for a, b in zip(times, times[1:])) and min(fired) > 0.8


def test_the_notebook_runs():
    notebook = nbformat.read(EXAMPLES / "wafer.ipynb", as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3",
                                     resources={"metadata": {"path": str(EXAMPLES)}})
    client.execute()
    kinds = [kind for cell in notebook.cells if cell.cell_type == "code"
             for output in cell.outputs for kind in output.get("data", {})]
    assert "image/svg+xml" in kinds and kinds.count("image/png") >= 3 and "text/html" in kinds
