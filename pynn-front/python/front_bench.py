#!/usr/bin/env python3
"""Times of the Python package, as JSON on stdout: `cargo xtask bench front` runs it.

    front_bench.py [--quick]

Each task runs in an interpreter of its own; a full run also calibrates wafer 30 for a script of 100
neurons in a fresh BSS1_HOME."""

import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

BEGIN = time.perf_counter()
HERE = pathlib.Path(__file__).resolve().parent
# the installed package, not its sources beside this file
sys.path[:] = [path for path in sys.path if pathlib.Path(path).resolve() != HERE]


def since(start):
    return round(time.perf_counter() - start, 3)


def weights():
    """Reading and writing 0.4 million weights on both engines."""
    import numpy as np

    import pynn_brainscales1 as sim
    times = {}
    for backend in ("reference", "emulator"):
        sim.setup(backend=backend, wafer="ideal", progress=False)
        cells = sim.Population(1000, sim.IF_cond_exp())
        noise = sim.Population(1000, sim.SpikeSourceArray(spike_times=[]))
        prj = sim.Projection(noise, cells, sim.FixedNumberPreConnector(400),
                             sim.StaticSynapse(weight=0.001))
        assert len(prj) == 400_000
        for form in ("list", "array"):
            start = time.perf_counter()
            prj.get("weight", format=form)
            times[f"{backend}_get_{form}_s"] = since(start)
        start = time.perf_counter()
        prj.set(weight=np.linspace(0.001, 0.002, len(prj)))
        times[f"{backend}_set_s"] = since(start)
        sim.end()
    return times


def from_list():
    """A connector list of 2.4 million rows."""
    import numpy as np

    import pynn_brainscales1 as sim
    sim.setup(backend="reference")
    cells = sim.Population(7712, sim.IF_cond_exp())
    random = np.random.RandomState(1)
    n = 2_400_000
    rows = np.column_stack([random.randint(0, 7712, n), random.randint(0, 7712, n),
                            random.uniform(0.0, 0.01, n), np.full(n, 1.5)])
    start = time.perf_counter()
    prj = sim.Projection(cells, cells, sim.FromListConnector(rows), sim.StaticSynapse())
    assert len(prj) == n
    return {"from_list_s": since(start)}


def total_number():
    """Three million connections through FixedTotalNumber."""
    import pynn_brainscales1 as sim
    sim.setup(backend="reference")
    cells = sim.Population(7712, sim.IF_cond_exp())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    prj = sim.Projection(cells, cells, sim.FixedTotalNumberConnector(3_000_000),
                         sim.StaticSynapse(weight=0.001))
    assert len(prj) == 3_000_000
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"total_number_s": since(start), "total_number_mib": (peak - before) // 1024}


def second_run():
    """A run after 0.8 million weights have changed."""
    import numpy as np

    import pynn_brainscales1 as sim
    sim.setup(wafer="ideal", progress=False)
    cells = sim.Population(2000, sim.IF_cond_exp(), label="cells")
    noise = sim.Population(200, sim.SpikeSourcePoisson(rate=1.0), label="noise")
    drive = sim.Projection(noise, cells, sim.FixedNumberPreConnector(20),
                           sim.StaticSynapse(weight=0.001))
    inner = sim.Projection(cells, cells, sim.FixedNumberPreConnector(400),
                           sim.StaticSynapse(weight=0.0001))
    assert len(inner) == 800_000 and len(drive) == 40_000
    sim.run(1.0)
    start = time.perf_counter()
    inner.set(weight=np.linspace(0.0001, 0.0002, len(inner)))
    sim.run(0.0)
    times = {"second_run_starts_s": since(start)}
    assert sim.mapping_report()["wall_s"]["placement"] == 0
    return times


def network(n, **setup):
    import numpy as np
    from pyNN.random import NumpyRNG

    import pynn_brainscales1 as sim
    sim.setup(timestep=0.1, progress=False, **setup)
    rng = NumpyRNG(seed=1)
    cells = sim.Population(n, sim.IF_cond_exp(tau_m=10.0, tau_refrac=2.0), label="cells")
    noise = sim.Population(100, sim.SpikeSourcePoisson(rate=20.0), label="noise")
    sim.Projection(noise, cells, sim.FixedProbabilityConnector(0.2, rng=rng),
                   sim.StaticSynapse(weight=0.01), receptor_type="excitatory")
    sim.Projection(cells, cells, sim.FixedNumberPreConnector(min(n // 2, 100), rng=rng),
                   sim.StaticSynapse(weight=0.001), receptor_type="inhibitory")
    cells.record("spikes")
    sim.run(200.0)
    trains = cells.get_data().segments[0].spiketrains
    spikes = np.concatenate([t.magnitude for t in trains])
    sim.end()
    return trains, spikes


def reference():
    """Seconds per biological second of the two published networks, unmapped, on two threads; the best of
    three."""
    sys.path.insert(0, str(HERE.parent / "examples"))
    import balanced_random_network
    import cortical_microcircuit

    import pynn_brainscales1 as sim
    times = {}
    for name, build in (
            ("balanced", lambda **setup: balanced_random_network.build(sim, 8, 1.6, **setup)),
            ("cortical", lambda **setup: cortical_microcircuit.build(sim, **setup))):
        build(backend="reference", threads=2)
        sim.run(500.0)
        seconds = []
        for _ in range(3):
            start = time.perf_counter()
            sim.run(1000.0)
            seconds.append(since(start))
        times[f"reference_{name}_s"] = min(seconds)
        sim.end()
    return times


def short_runs():
    """Two seconds of 1,000 neurons and as many sources in one run, and in twenty."""
    import pynn_brainscales1 as sim
    times = {}
    for n in (1, 20):
        sim.setup(timestep=0.1, wafer="ideal", progress=False)
        noise = sim.Population(1000, sim.SpikeSourcePoisson(rate=20.0))
        cells = sim.Population(1000, sim.IF_cond_exp(tau_m=10.0, tau_refrac=2.0))
        sim.Projection(noise, cells, sim.FixedNumberPreConnector(100),
                       sim.StaticSynapse(weight=0.002))
        cells.record("spikes")
        sim.map_only()
        start = time.perf_counter()
        for _ in range(n):
            sim.run(2000.0 / n)
        times[f"runs_{n}_s"] = since(start)
        sim.end()
    return times


def first_plot():
    """From `import` to the first plot: 1,000 neurons, 100,000 synapses and more, ideal wafer."""
    trains, spikes = network(1000, wafer="ideal")
    import matplotlib
    matplotlib.use("agg")
    from matplotlib import pyplot
    pyplot.eventplot([t.magnitude for t in trains])
    pyplot.savefig(os.path.join(tempfile.gettempdir(), "front_bench.png"))
    assert len(spikes) > 100
    return {"first_plot_s": since(BEGIN)}


def wafer_30():
    """100 neurons with no options at all: wafer 30, calibrated on demand or before."""
    network(100)
    return {"wafer_30_s": since(BEGIN)}


def apart(task, home=None):
    environment = {**os.environ, **({"BSS1_HOME": home} if home else {})}
    done = subprocess.run([sys.executable, __file__, "--task", task], env=environment,
                          capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{task}: {done.stderr}")
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="without wafer 30")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.task:
        print(json.dumps(globals()[arguments.task]()))
        return
    results = {}
    for task in (weights, from_list, total_number, second_run, short_runs, reference, first_plot):
        results |= apart(task.__name__)
    if not arguments.quick:
        with tempfile.TemporaryDirectory() as home:
            results["wafer_30_first_s"] = apart("wafer_30", home)["wafer_30_s"]
            results["wafer_30_again_s"] = apart("wafer_30", home)["wafer_30_s"]
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
