"""The reference engine through PyNN: what the conformance checks leave open."""

import os
import subprocess
import sys

import numpy as np
import pytest

import pynn_brainscales1 as sim
from pyNN.random import NumpyRNG


def test_fixed_total_number_draws_what_pynn_draws(begin):
    from pyNN import connectors
    drawn = []
    for connector in (sim.FixedTotalNumberConnector, connectors.FixedTotalNumberConnector):
        begin()
        pre, post = (sim.Population(n, sim.IF_cond_exp()) for n in (13, 7))
        rng = NumpyRNG(seed=4)
        prj = sim.Projection(pre, post, connector(50, rng=rng), sim.StaticSynapse(weight=0.1))
        drawn.append((prj.get("weight", format="list"), list(rng.next(3))))
    assert drawn[0] == drawn[1]


def test_list_connectors_with_several_columns_and_repeats(begin):
    begin()
    cells = sim.Population(4, sim.IF_cond_exp())
    rows = [(3, 1, 0.5, 20.0), (0, 2, 0.25, 30.0), (3, 1, 0.75, 40.0)]
    prj = sim.Projection(cells, cells, sim.FromListConnector(rows, column_names=["U", "tau_rec"]),
                         sim.TsodyksMarkramSynapse(weight=0.01, delay=1.0))
    assert prj.get(["U", "tau_rec", "weight"], format="list") == [
        (0, 2, 0.25, 30.0, 0.01), (3, 1, 0.5, 20.0, 0.01), (3, 1, 0.75, 40.0, 0.01)]
    first = prj.get("U", format="array", multiple_synapses="first")
    last = prj.get("U", format="array", multiple_synapses="last")
    assert (first[3, 1], last[3, 1], first[0, 2]) == (0.5, 0.75, 0.25)
    prj.set(weight=[w for *_, w in prj.get("weight", format="list")])
    assert len(prj) == 3


def test_earlier_segments_keep_their_signals(begin):
    begin()
    cells = sim.Population(2, sim.IF_cond_exp(i_offset=0.5))
    cells.record(["v", "gsyn_exc"])
    sim.run(10.0)
    sim.reset(annotations={"trial": 1})
    sim.run(10.0)
    block = cells.get_data("v")
    names = [[s.name for s in segment.analogsignals] for segment in block.segments]
    assert names == [["v"], ["v"]] and block.segments[0].annotations["trial"] == 1
    a, b = (np.asarray(s.analogsignals[0]) for s in block.segments)
    assert np.array_equal(a, b)


def test_data_before_a_run_are_empty(begin):
    begin()
    cells = sim.Population(2, sim.IF_cond_exp())
    cells.record("spikes")
    block = cells.get_data()
    assert len(block.segments) == 1 and len(block.segments[0].spiketrains) == 0


def test_two_mechanisms_keep_their_own_names(begin):
    begin()
    cells = sim.Population(2, sim.IF_cond_exp())

    def mechanism(weight_dependence):
        return sim.STDPMechanism(
            timing_dependence=sim.SpikePairRule(tau_plus=15.0, A_plus=0.02),
            weight_dependence=weight_dependence, weight=0.005, delay=1.0)

    gutig = sim.Projection(cells, cells, sim.AllToAllConnector(),
                           mechanism(sim.GutigWeightDependence(w_max=0.01, mu_plus=0.3)))
    additive = sim.Projection(cells, cells, sim.AllToAllConnector(),
                              mechanism(sim.AdditiveWeightDependence(w_max=0.01)))
    assert set(np.ravel(gutig.get("mu_plus", format="array"))) == {0.3}
    with pytest.raises(sim.errors.NonExistentParameterError):
        additive.get("mu_plus", format="array")
    assert set(np.ravel(additive.get("tau_plus", format="array"))) == {15.0}


def test_runs_are_the_same_for_any_number_of_threads(begin):
    def spikes(threads):
        begin(threads=threads, seed=3)
        noise = sim.Population(100, sim.SpikeSourcePoisson(rate=60.0))
        cells = sim.Population(1300, sim.IF_cond_exp(tau_m=10.0))
        sim.Projection(noise, cells, sim.FixedProbabilityConnector(0.4, rng=NumpyRNG(seed=1)),
                       sim.StaticSynapse(weight=0.006, delay=2.0))
        cells.record("spikes")
        sim.run(100.0)
        return cells.get_data().segments[0].spiketrains.multiplexed

    one, many = spikes(1), spikes(4)
    assert len(one[1]) > 500
    assert np.array_equal(one[0], many[0]) and np.array_equal(one[1], many[1])


def test_large_projections_are_quick_to_read_and_write(begin):
    begin()
    cells = sim.Population(7712, sim.IF_cond_exp())
    random = np.random.RandomState(1)
    n = 300_000
    rows = np.column_stack([random.randint(0, 7712, n), random.randint(0, 7712, n),
                            random.uniform(0.0, 0.01, n), np.full(n, 1.5)])
    prj = sim.Projection(cells, cells, sim.FromListConnector(rows), sim.StaticSynapse())
    listed = prj.get("weight", format="list", with_address=False)
    assert sorted(listed) == sorted(rows[:, 2])
    prj.set(weight=np.array(listed) * 2)
    assert prj.get("weight", format="list", with_address=False) == [2 * w for w in listed]


def test_spike_arrays_send_at_their_times(begin):
    """What PyNN's scenario `SpikeSourceArray_delivers_spike_times` asks for."""
    begin()
    times = [[3.0, 17.3, 40.0], [], [0.1, 99.9]]
    source = sim.Population(3, sim.SpikeSourceArray(spike_times=times))
    source.record("spikes")
    sim.run(100.0)
    for train, wanted in zip(source.get_data().segments[0].spiketrains, times):
        assert np.allclose(train.magnitude, wanted)


@pytest.mark.parametrize("hash_seed", range(4))
def test_assemblies_tell_excitation_from_inhibition(hash_seed):
    """The receptor types of an assembly come in the order of a set, which differs between runs."""
    code = """
import pynn_brainscales1 as sim
sim.setup(timestep=0.1, backend="reference")
cells = sim.Population(2, sim.IF_cond_exp()) + sim.Population(2, sim.IF_cond_exp())
noise = sim.Population(50, sim.SpikeSourcePoisson(rate=50.0))
for receptor, fires in (("excitatory", True), ("inhibitory", False)):
    prj = sim.Projection(noise, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.01),
                         receptor_type=receptor)
    cells.record("spikes")
    sim.run(100.0)
    assert (cells.mean_spike_count() > 5) == fires, receptor
    prj.set(weight=0.0)
    sim.reset()
"""
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
