"""Brunel's balanced random network as published for the wafer, for several g and eta on one mapping:

    python balanced_random_network.py [DURATION_MS [NUMBER_OF_WAFER]]

The same network, cells and inputs as `bss1 experiment run balanced-random-network`: on the ideal wafer the
same spikes, on a manufactured one other synapses of the chips.
"""

import sys

import numpy as np


def fixed_number(random, n_pre, n_post, number):
    """`number` sources of each target, drawn with replacement."""
    pre = np.concatenate([random.randint(0, n_pre, number) for _ in range(n_post)])
    return np.column_stack([pre, np.repeat(np.arange(n_post), number)])


def build(sim, g, eta, scale=6, **setup):
    """Neurons, inputs and the two inhibitory projections; voltages onto the published window."""
    sim.setup(timestep=0.1, capacitor="big", leak="normal",
              voltage_window=(-140.0, 140.0, 0.45, 1.3), **setup)
    cell = sim.IF_cond_exp(cm=1.0, tau_m=10.0, tau_refrac=2.0, tau_syn_E=3.0, tau_syn_I=3.0,
                           v_rest=0.0, v_reset=10.0, v_thresh=20.0, e_rev_E=140.0, e_rev_I=-140.0)
    n = int(12500 / scale)
    n_exc = int(0.8 * n)
    exc = sim.Population(n_exc, cell, label="exc")
    inh = sim.Population(n - n_exc, cell, label="inh")
    ext = sim.Population(n, sim.SpikeSourcePoisson(rate=source_rate(eta, scale)), label="ext")
    weight = 1.2 * 0.1 * scale * 1.0 / 3.0 / 140.0  # uS: 0.1 mV, scaled, at rest

    random = np.random.RandomState(1234)
    inhibition = []
    for pre, post, number, receptor in (
            (exc, exc, int(0.1 * n_exc), "excitatory"), (exc, inh, int(0.1 * n_exc), "excitatory"),
            (inh, exc, int(0.1 * inh.size), "inhibitory"), (inh, inh, int(0.1 * inh.size), "inhibitory"),
            (ext, exc, 200, "excitatory"), (ext, inh, 200, "excitatory")):
        pairs = fixed_number(random, pre.size, post.size, number)
        size = g * weight if receptor == "inhibitory" else weight
        projection = sim.Projection(pre, post, sim.FromListConnector(pairs, column_names=[]),
                                    sim.StaticSynapse(weight=size, delay=1.5),
                                    receptor_type=receptor, label=f"{pre.label}->{post.label}")
        if receptor == "inhibitory":
            inhibition.append(projection)
    for cells in (exc, inh):
        cells.record("spikes")
    return exc, inh, ext, inhibition, weight


def source_rate(eta, scale=6):
    """Hz: eta times the rate at which 200 sources alone reach the threshold."""
    return eta * 20.0 / (0.1 * scale * 10.0) * 1e3 / 200


def rate_and_cv(cells, duration):
    """Mean rate in Hz and mean CV of the inter-spike intervals, without the first second of long runs."""
    settled = 1000.0 if duration >= 2000.0 else 0.0
    trains = cells.get_data("spikes", clear=True).segments[-1].spiketrains
    trains = [np.sort(t.magnitude) for t in trains]
    trains = [t[(t >= settled) & (t < duration)] for t in trains]
    cvs = [np.diff(t).std() / np.diff(t).mean() for t in trains if len(t) >= 10]
    rate = sum(map(len, trains)) / len(trains) / (duration - settled) * 1e3
    return rate, np.mean(cvs) if cvs else float("nan")


def balanced_random_network(sim, gs=(8,), etas=(0.8,), duration=10_000.0, scale=6, **setup):
    """(g, eta, population, rate, CV) of every point; the mapping is made once, for the most inputs."""
    exc, inh, ext, inhibition, weight = build(sim, max(gs), max(etas), scale, **setup)
    if setup.get("backend") != "reference":
        sim.map_only()
    results = []
    for eta in etas:
        ext.set(rate=source_rate(eta, scale))
        for g in gs:
            for projection in inhibition:
                projection.set(weight=g * weight)
            sim.run(duration)
            results += [(g, eta, cells.label, *rate_and_cv(cells, duration)) for cells in (exc, inh)]
            sim.reset()
    return results


if __name__ == "__main__":
    import pynn_brainscales1 as sim

    duration = float(sys.argv[1]) if len(sys.argv) > 1 else 10_000.0
    wafer = int(sys.argv[2]) if len(sys.argv) > 2 else "ideal"
    points = balanced_random_network(sim, (8, 10), (0.8, 1.6), duration, wafer=wafer)
    for g, eta, label, rate, cv in points:
        print(f"g = {g}, eta = {eta}, {label}: {rate:.2f} Hz, CV {cv:.2f}")
