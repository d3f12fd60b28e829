"""Scripts that were written for other back ends, unmodified: PyNN's own examples and the ones here.
What the wafer does with some of them is compared with NEST on the realised network.

PyNN's sources are found by BSS1_PYNN_SOURCE, a Python with NEST by BSS1_NEST_PYTHON; `cargo xtask test`
sets both, NEST if `cargo xtask bench nest` has installed it."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent
PYTHON = HERE.parents[1] / "python"
SOURCE = os.environ.get("BSS1_PYNN_SOURCE")
NEST = os.environ.get("BSS1_NEST_PYTHON")

needs_pynn = pytest.mark.skipif(not SOURCE, reason="PyNN's sources are absent: BSS1_PYNN_SOURCE")
needs_nest = pytest.mark.skipif(not NEST, reason="NEST is absent: BSS1_NEST_PYTHON")


def run(script, out, *arguments, **setup):
    """Rates by population of a script on the wafer, and its duration in ms."""
    setup = {"wafer": "ideal", "progress": False, **setup}
    environment = {**os.environ, "BSS1_SETUP": json.dumps(setup), "MPLBACKEND": "agg"}
    (out / "Results").mkdir()
    done = subprocess.run(
        [sys.executable, HERE / "unmodified.py", script, out, *arguments], cwd=out,
        env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    kept = json.loads((out / "rates.json").read_text())
    return kept["rates"], kept["duration_ms"]


def nest_rates(out, duration_ms):
    """Rates by population of the realised network in NEST."""
    program = pathlib.Path(sys.executable).with_name("bss1")
    network = out / "network"
    subprocess.run([program, "export-network", out / "twin.bss1", "--out", network], check=True,
                   capture_output=True)
    subprocess.run([NEST, PYTHON / "nest_reference.py", network, "--duration", str(round(duration_ms)),
                    "--discard", "0", "--resolution", "0.04", "--threads", "2", "--out", out / "nest.json"], check=True, capture_output=True)
    found = json.loads((out / "nest.json").read_text())["populations"]
    return {label: population["rate_hz"] for label, population in found.items()}


def example(name):
    return pathlib.Path(SOURCE or "") / "examples" / name


#: PyNN's examples with conductance-based cells; arguments, keywords of setup.
EXAMPLES = [
    ("VAbenchmarks.py", ["brainscales1", "COBA"], {}),
    ("inhomogeneous_network.py", ["brainscales1"], {}),
    ("stdp_network.py", ["brainscales1"], {}),
    ("connections.py", ["brainscales1"], {}),
    ("varying_poisson.py", ["brainscales1"], {}),
    ("update_spike_source_array.py", ["brainscales1"], {}),
    # what no wafer has: conductances, tiny weights, currents that change again and again
    ("tsodyksmarkram.py", ["brainscales1"], {"backend": "reference"}),
    ("simple_STDP.py", ["brainscales1"], {"backend": "reference"}),
    ("parameter_changes.py", ["brainscales1"], {"backend": "reference"}),
]


@needs_pynn
@pytest.mark.parametrize("name, arguments, setup", EXAMPLES, ids=[e[0] for e in EXAMPLES])
def test_examples_of_pynn(tmp_path, name, arguments, setup):
    rates, duration = run(example(name), tmp_path, *arguments, **setup)
    assert duration >= 0 and all(rate < 500 for rate in rates.values())


@needs_nest
@needs_pynn
def test_the_vogels_abbott_benchmark_of_pynn_is_that_of_nest(tmp_path):
    rates, duration = run(example("VAbenchmarks.py"), tmp_path, "brainscales1", "COBA")
    nest = nest_rates(tmp_path, duration)
    for label in ("Excitatory_Cells", "Inhibitory_Cells"):
        assert rates[label] == pytest.approx(nest[label], rel=0.15, abs=0.5)


@needs_nest
@pytest.mark.parametrize("name", ["vogels_abbott", "brunel", "synfire_chain"])
def test_the_examples_here_are_those_of_nest(tmp_path, name):
    rates, duration = run(PYTHON / "examples" / f"{name}.py", tmp_path, "brainscales1")
    nest = nest_rates(tmp_path, duration)
    assert rates
    for label, rate in rates.items():
        assert rate == pytest.approx(nest[label], rel=0.15, abs=0.5)
