"""A balanced network of conductance-based cells with strong inhibition (after N. Brunel, J. Comput.
Neurosci. 8:183, 2000), for any back end of PyNN:

    python brunel.py brainscales1
    python brunel.py nest
"""

import sys

import numpy as np
from pyNN.random import NumpyRNG


def brunel(sim, n=500, duration=1000.0, **setup):
    """Mean rate in Hz and mean irregularity of n cells, four fifths of them excitatory."""
    sim.setup(timestep=0.1, min_delay=0.1, max_delay=10.0, **setup)
    rng = NumpyRNG(seed=1234)
    cell = sim.IF_cond_exp(cm=0.2, tau_m=10.0, v_rest=-65.0, v_reset=-68.0, v_thresh=-55.0,
                           tau_refrac=2.0, tau_syn_E=5.0, tau_syn_I=5.0, e_rev_E=0.0,
                           e_rev_I=-80.0)
    excitatory = sim.Population(n * 4 // 5, cell, label="excitatory")
    inhibitory = sim.Population(n // 5, cell, label="inhibitory")
    noise = sim.Population(100, sim.SpikeSourcePoisson(rate=20.0), label="noise")
    cells = excitatory + inhibitory
    sparse = sim.FixedProbabilityConnector(0.1, rng=rng)
    excites = sim.StaticSynapse(weight=0.001, delay=1.5)
    inhibits = sim.StaticSynapse(weight=0.01, delay=1.5)
    sim.Projection(excitatory, cells, sparse, excites, receptor_type="excitatory", label="excitation")
    sim.Projection(inhibitory, cells, sparse, inhibits, receptor_type="inhibitory",
                   label="inhibition")
    sim.Projection(noise, cells, sim.FixedProbabilityConnector(0.5, rng=rng),
                   sim.StaticSynapse(weight=0.001, delay=1.5), receptor_type="excitatory",
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
    print("rate %.1f Hz, irregularity %.2f" % brunel(sim), file=sys.stdout)
