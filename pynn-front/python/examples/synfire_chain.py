"""A synfire chain with feed-forward inhibition (after J. Kremkow et al., J. Comput. Neurosci. 28:579,
2010), for any back end of PyNN:

    python synfire_chain.py brainscales1
    python synfire_chain.py nest
"""

import sys

import numpy as np
from pyNN.random import NumpyRNG


def synfire_chain(sim, groups=6, duration=200.0, **setup):
    """Mean spike time in ms and share of cells that fire, for each group."""
    sim.setup(timestep=0.1, min_delay=0.1, max_delay=10.0, **setup)
    rng = NumpyRNG(seed=42)
    cell = sim.IF_cond_exp(cm=0.29, tau_m=10.0, v_rest=-70.0, v_reset=-70.0, v_thresh=-57.0,
                           tau_refrac=2.0, tau_syn_E=1.5, tau_syn_I=10.0, e_rev_E=0.0,
                           e_rev_I=-75.0)
    times = [np.sort(40.0 + 1.5 * rng.next(3, "normal", {"mu": 0.0, "sigma": 1.0}))
             for _ in range(100)]
    volley = sim.Population(100, sim.SpikeSourceArray(spike_times=times), label="volley")
    excitatory = [sim.Population(100, cell, label=f"excitatory {i}") for i in range(groups)]
    inhibitory = [sim.Population(25, cell, label=f"inhibitory {i}") for i in range(groups)]
    for i in range(groups):
        before = volley if i == 0 else excitatory[i - 1]
        for target in (excitatory[i], inhibitory[i]):
            sim.Projection(before, target, sim.FixedNumberPreConnector(60, rng=rng),
                           sim.StaticSynapse(weight=0.002, delay=5.0), receptor_type="excitatory",
                           label=f"to {target.label}")
        sim.Projection(inhibitory[i], excitatory[i], sim.FixedNumberPreConnector(20, rng=rng),
                       sim.StaticSynapse(weight=0.002, delay=8.0), receptor_type="inhibitory",
                       label=f"brake {i}")
        excitatory[i].record("spikes")
    sim.run(duration)
    result = []
    for group in excitatory:
        trains = group.get_data("spikes").segments[0].spiketrains
        spikes = np.concatenate([np.asarray(t.magnitude) for t in trains])
        fired = np.mean([len(t) > 0 for t in trains])
        result.append((spikes.mean() if spikes.size else float("nan"), fired))
    sim.end()
    return result


if __name__ == "__main__":
    from pyNN.utility import get_simulator
    sim, _ = get_simulator()
    for number, (time, fired) in enumerate(synfire_chain(sim)):
        print(f"group {number}: {100 * fired:3.0f} % of the cells at {time:.1f} ms", file=sys.stdout)
