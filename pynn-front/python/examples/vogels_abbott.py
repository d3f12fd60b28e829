"""Vogels and Abbott's network of conductance-based cells (J. Neurosci. 25:10786, 2005), for any back
end of PyNN:

    python vogels_abbott.py brainscales1
    python vogels_abbott.py nest
"""

import sys

import numpy as np
from pyNN.random import NumpyRNG, RandomDistribution


def vogels_abbott(sim, n=400, duration=500.0, **setup):
    """Mean rate in Hz and mean irregularity of n cells, four fifths of them excitatory."""
    sim.setup(timestep=0.1, min_delay=0.1, max_delay=10.0, **setup)
    rng = NumpyRNG(seed=98765)
    cell = sim.IF_cond_exp(tau_m=20.0, cm=0.2, v_rest=-60.0, v_thresh=-50.0, v_reset=-60.0,
                           e_rev_E=0.0, e_rev_I=-80.0, tau_syn_E=5.0, tau_syn_I=10.0,
                           tau_refrac=5.0)
    cells = sim.Population(n, cell, label="cells")
    cells.initialize(v=RandomDistribution("uniform", low=-60.0, high=-50.0, rng=rng))
    excitatory, inhibitory = cells[:n * 4 // 5], cells[n * 4 // 5:]
    # as many synapses per cell as in the network of 4000
    connector = sim.FixedProbabilityConnector(min(1.0, 80 / n), rng=rng,
                                              allow_self_connections=False)
    sim.Projection(excitatory, cells, connector, sim.StaticSynapse(weight=0.004, delay=1.0),
                   receptor_type="excitatory", label="excitation")
    sim.Projection(inhibitory, cells, connector, sim.StaticSynapse(weight=0.051, delay=1.0),
                   receptor_type="inhibitory", label="inhibition")
    noise = sim.Population(20, sim.SpikeSourcePoisson(rate=100.0), label="noise")
    sim.Projection(noise, cells, sim.FixedProbabilityConnector(0.5, rng=rng),
                   sim.StaticSynapse(weight=0.002, delay=1.0), receptor_type="excitatory",
                   label="drive")
    cells.record("spikes")
    sim.run(duration)
    trains = [np.asarray(t.magnitude) for t in cells.get_data("spikes").segments[0].spiketrains]
    sim.end()
    rate = sum(len(t) for t in trains) / n / duration * 1e3
    intervals = [np.diff(t) for t in trains if len(t) > 3]
    irregularity = np.mean([i.std() / i.mean() for i in intervals]) if intervals else float("nan")
    return rate, irregularity


if __name__ == "__main__":
    from pyNN.utility import get_simulator
    sim, _ = get_simulator()
    print("rate %.1f Hz, irregularity %.2f" % vogels_abbott(sim), file=sys.stdout)
