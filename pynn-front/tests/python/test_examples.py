"""The example scripts, on both engines: the wafer's network does what the ideal one does."""

import importlib.util
import pathlib

import nbclient
import nbformat
import pytest

import pynn_brainscales1 as sim

EXAMPLES = pathlib.Path(__file__).parents[2] / "python" / "examples"
EXPERIMENTS = pathlib.Path(__file__).parents[2] / "examples"


def example(name, folder=EXAMPLES):
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
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


def test_balanced_random_network():
    script = example("balanced_random_network", EXPERIMENTS)
    points = script.balanced_random_network(sim, (1, 8), (0.8, 1.6), duration=300.0, scale=20,
                                            wafer="ideal", progress=False)
    assert sim.mapping_report()["synapses_requested"] == 625 * (50 + 12 + 200)
    assert sim.mapping_report()["wall_s"]["placement"] == 0
    rates = {(g, eta): rate for g, eta, label, rate, _ in points if label == "exc"}
    assert rates[1, 0.8] > 2 * rates[8, 0.8] > 0 and rates[8, 1.6] > rates[8, 0.8]


def test_cortical_microcircuit():
    script = example("cortical_microcircuit", EXPERIMENTS)
    pairs = [(s, t) for t in range(8) for s in range(8)]
    count = lambda s, t: script.synapses(script.PROBABILITIES[t][s], script.SIZES[s],
                                         script.SIZES[t], 0.1)
    assert sum(count(s, t) for s, t in pairs) == 2_987_316
    results = script.cortical_microcircuit(sim, duration=500.0, scale=0.01, wafer="ideal",
                                           progress=False)
    assert [label for label, _, _ in results] == list(script.LABELS)
    assert all(rate > 0 for label, rate, _ in results if label in ("4e", "6e", "6i"))
