"""Potjans and Diesmann's microcircuit of eight populations at a tenth of its size, driven by its leak
potentials, as published for the wafer:

    python cortical_microcircuit.py [DURATION_MS [NUMBER_OF_WAFER]]

The same network and cells as `bss1 experiment run cortical-microcircuit`: on the ideal wafer the
same spikes, on a manufactured one other synapses of the chips.
"""

import sys

import numpy as np

LABELS = ("23e", "23i", "4e", "4i", "5e", "5i", "6e", "6i")
SIZES = (20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948)
V_REST = (-42.52, -43.93, -35.5, -38.31, -36.9, -38.31, -24.26, -35.5)
# by target: uS of excitatory and of inhibitory synapses
WEIGHTS = ((0.00303139, 0.02265111), (0.00321473, 0.02112101), (0.00334374, 0.02024846),
           (0.00325535, 0.02083072), (0.00330689, 0.0204834), (0.00336596, 0.02011174),
           (0.00341609, 0.01981637), (0.00342977, 0.01973876))
# what the wafer calls 1 is what these weights say, so that the published ones shrink as for NEST
W_EXC_FACTOR = 0.1
# by target: probability of a connection from each population
PROBABILITIES = (
    (.1009, .1689, .0437, .0818, .0323, 0, .0076, 0), (.1346, .1371, .0316, .0515, .0755, 0, .0042, 0),
    (.0077, .0059, .0497, .135, .0067, .0003, .0453, 0), (.0691, .0029, .0794, .1597, .0033, 0, .1057, 0),
    (.1004, .0622, .0505, .0057, .0831, .3726, .0204, 0), (.0548, .0269, .0257, .0022, .06, .3158, .0086, 0),
    (.0156, .0066, .0211, .0166, .0572, .0197, .0396, .2252), (.0364, .001, .0034, .0005, .0277, .008, .0658, .1443))


def synapses(p, n_pre, n_post, scale):
    """Number of draws that gives the probability p in the full network, scaled."""
    in_degree = np.log(1 - p) / np.log(1 - 1 / (n_post * n_pre)) / n_post
    return int(round(in_degree * scale * int(n_post * scale)))


def build(sim, scale=0.1, **setup):
    """The eight populations, which are recorded."""
    sim.setup(timestep=0.1, capacitor="small", leak="slow",
              voltage_window=(-150.0, 50.0, 0.4, 1.3), **setup)
    populations = []
    for label, size, v_rest in zip(LABELS, SIZES, V_REST):
        cell = sim.IF_cond_exp(cm=0.25, tau_m=10.0, tau_refrac=2.0, tau_syn_E=2.2, tau_syn_I=2.2,
                               v_rest=v_rest, v_reset=-65.0, v_thresh=-50.0, e_rev_E=50.0,
                               e_rev_I=-150.0)
        populations.append(sim.Population(int(size * scale), cell, label=label))
        populations[-1].record("spikes")
    random = np.random.RandomState(123456)
    for target, post in enumerate(populations):
        for source, pre in enumerate(populations):
            n = synapses(PROBABILITIES[target][source], SIZES[source], SIZES[target], scale)
            if n == 0:
                continue
            # all sources first, then all targets; a pair may be drawn more than once
            pairs = np.column_stack([random.randint(0, pre.size, n), random.randint(0, post.size, n)])
            inhibitory = pre.label.endswith("i")
            weight = WEIGHTS[target][1] if inhibitory else W_EXC_FACTOR * WEIGHTS[target][0]
            sim.Projection(pre, post, sim.FromListConnector(pairs, column_names=[]),
                           sim.StaticSynapse(weight=weight, delay=1.5),
                           receptor_type="inhibitory" if inhibitory else "excitatory",
                           label=f"{pre.label}->{post.label}")
    return populations


def rate_and_cv(cells, duration, settled):
    """Mean rate in Hz and mean CV of the inter-spike intervals of the time that is settled."""
    trains = [np.sort(t.magnitude) for t in cells.get_data("spikes").segments[-1].spiketrains]
    trains = [t[(t >= settled) & (t < duration)] for t in trains]
    cvs = [np.diff(t).std() / np.diff(t).mean() for t in trains if len(t) >= 10]
    rate = sum(map(len, trains)) / len(trains) / (duration - settled) * 1e3
    return rate, np.mean(cvs) if cvs else float("nan")


def cortical_microcircuit(sim, duration=10_000.0, scale=0.1, **setup):
    """(population, rate, CV) of the eight populations."""
    populations = build(sim, scale, **setup)
    sim.run(duration)
    settled = 1000.0 if duration >= 2000.0 else 0.0
    return [(cells.label, *rate_and_cv(cells, duration, settled)) for cells in populations]


if __name__ == "__main__":
    import pynn_brainscales1 as sim

    duration = float(sys.argv[1]) if len(sys.argv) > 1 else 10_000.0
    wafer = int(sys.argv[2]) if len(sys.argv) > 2 else "ideal"
    for label, rate, cv in cortical_microcircuit(sim, duration, wafer=wafer):
        print(f"{label}: {rate:.2f} Hz, CV {cv:.2f}")
