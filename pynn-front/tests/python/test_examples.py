"""The example scripts, on both engines: the wafer's network does what the ideal one does."""

import importlib.util
import pathlib
import subprocess
import sys

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


def of_experiment(name, out, duration, *settings):
    """(Population, member, time in ms) of each spike, as the experiment of this name has them."""
    program = pathlib.Path(sys.executable).with_name("bss1")
    command = [program, "experiment", "run", name, "--wafer", "ideal", "--out", out]
    for setting in (f"simulation_time={duration}", *settings):
        command += ["--set", setting]
    subprocess.run(command, check=True, capture_output=True)
    lines = (out / "spikes.csv").read_text().splitlines()[1:]
    spikes = (line.rsplit(",", 2) for line in lines)
    return sorted((label, int(member), float(time)) for label, member, time in spikes
                  if float(time) < duration)


def of_script(populations, duration):
    """The same of populations that were run."""
    trains = ((cells.label, member, train.magnitude) for cells in populations
              for member, train in enumerate(cells.get_data("spikes").segments[-1].spiketrains))
    return sorted((label, member, round(float(time), 3)) for label, member, times in trains
                  for time in times if time < duration)


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


def test_the_script_of_the_balanced_network_has_the_spikes_of_the_experiment(tmp_path):
    script = example("balanced_random_network", EXPERIMENTS)
    exc, inh, *_ = script.build(sim, 8, 0.8, 25, wafer="ideal", progress=False)
    sim.run(500.0)
    spikes = of_experiment("balanced-random-network", tmp_path, 500.0, "scale=25")
    assert len(spikes) > 1000 and of_script((exc, inh), 500.0) == spikes


def test_the_script_of_the_microcircuit_has_the_spikes_of_the_experiment(tmp_path):
    script = example("cortical_microcircuit", EXPERIMENTS)
    populations = script.build(sim, 0.015, wafer="ideal", progress=False)
    sim.run(500.0)
    spikes = of_experiment("cortical-microcircuit", tmp_path, 500.0, "scale=0.015")
    assert len(spikes) > 1000 and of_script(populations, 500.0) == spikes


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
