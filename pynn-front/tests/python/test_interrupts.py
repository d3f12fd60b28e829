"""Ctrl-C ends whatever takes long: soon, with a KeyboardInterrupt, and what was there before stays."""

import signal
import threading
import time

import numpy as np
import pytest

import pynn_brainscales1 as sim

#: A second, and what a busy machine adds, s.
SOON = 2.0


@pytest.fixture
def ctrl_c():
    """Presses Ctrl-C after some seconds; tells when it was. With Python's own answer to it, which a
    shell takes away from what it runs in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    pressed = []

    def press():
        pressed.append(time.monotonic())
        signal.raise_signal(signal.SIGINT)

    def after(seconds):
        threading.Timer(seconds, press).start()
        return pressed

    yield after
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("backend", ["reference", "emulator"])
def test_a_run_keeps_its_data_and_goes_on(begin, ctrl_c, backend):
    begin(backend=backend)
    source = sim.Population(20, sim.SpikeSourcePoisson(rate=20.0))
    target = sim.Population(50, sim.IF_cond_exp())
    sim.Projection(source, target, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.001))
    source.record("spikes")
    sim.run(10.0)
    pressed = ctrl_c(1.0)
    with pytest.raises(KeyboardInterrupt):
        sim.run(1e7)
    assert time.monotonic() - pressed[0] < SOON
    reached = sim.get_current_time()
    # a busy machine may not have got further
    assert 10.0 <= reached < 1e7
    spikes = source.get_data("spikes").segments[0].spiketrains.multiplexed[1]
    assert len(spikes) > 0 and float(spikes.max()) <= reached
    # and it goes on from there
    assert sim.run(5.0) == pytest.approx(reached + 5.0, abs=0.1)


@pytest.mark.parametrize("seconds", [0.3, 2.0, 5.0])
def test_mapping_leaves_the_network_as_it_was(begin, ctrl_c, seconds):
    # the search for a mapping of this network takes minutes
    begin(backend="emulator", effort="max")
    cells = sim.Population(7600, sim.IF_cond_exp(tau_refrac=2.0), label="cells")
    inner = sim.Projection(cells, cells, sim.FixedTotalNumberConnector(3_000_000),
                           sim.StaticSynapse(weight=0.0001))
    pressed = ctrl_c(seconds)
    with pytest.raises(KeyboardInterrupt):
        sim.run(10.0)
    assert time.monotonic() - pressed[0] < SOON
    assert sim.mapping_report() is None and sim.get_current_time() == 0.0
    assert len(inner) == 3_000_000


def test_drawing_of_connections(begin, ctrl_c):
    begin(backend="emulator")
    cells = sim.Population(20_000, sim.IF_cond_exp())
    pressed = ctrl_c(0.5)
    with pytest.raises(KeyboardInterrupt):
        sim.Projection(cells, cells, sim.FixedProbabilityConnector(0.2), sim.StaticSynapse())
    assert time.monotonic() - pressed[0] < SOON
    sim.Projection(cells[:10], cells[:10], sim.OneToOneConnector(), sim.StaticSynapse())


@pytest.mark.parametrize("backend", ["reference", "emulator"])
def test_a_long_stimulus(begin, ctrl_c, backend):
    begin(backend=backend)
    # two hundred million spikes
    sources = sim.Population(500, sim.SpikeSourcePoisson(rate=40.0))
    sources.record("spikes")
    sim.run(10.0)
    pressed = ctrl_c(0.3)
    with pytest.raises(KeyboardInterrupt):
        sim.run(1e7)
    assert time.monotonic() - pressed[0] < SOON
    reached = sim.get_current_time()
    spikes = sources.get_data("spikes", clear=True).segments[0].spiketrains.multiplexed[1]
    assert len(spikes) == pytest.approx(20.0 * reached, rel=0.2)
    sim.run(10.0)
    spikes = sources.get_data("spikes").segments[0].spiketrains.multiplexed[1]
    assert float(np.min(spikes)) >= reached
