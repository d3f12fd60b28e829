"""What the emulated wafer makes of a network, and what it says about it."""

import pathlib
import subprocess
import sys

import numpy as np
import pytest
from pyNN.random import NumpyRNG

import pynn_brainscales1 as sim

CELL = dict(cm=0.2, tau_m=10.0, v_rest=-65.0, v_reset=-70.0, v_thresh=-50.0, tau_refrac=1.0,
            tau_syn_E=4.0, tau_syn_I=4.0, e_rev_E=0.0, e_rev_I=-90.0)


def network():
    source = sim.Population(20, sim.SpikeSourceArray(
        spike_times=[np.arange(5.0 + i, 200.0, 20.0) for i in range(20)]), label="input")
    cells = sim.Population(10, sim.IF_cond_exp(**CELL), label="cells")
    rows = [(i, j, 0.002 * (1 + (i + j) % 5), 1.0) for i in range(20) for j in range(10)]
    drive = sim.Projection(source, cells, sim.FromListConnector(rows), sim.StaticSynapse(),
                           receptor_type="excitatory", label="drive")
    cells.record("spikes")
    return source, cells, drive


def test_requests_and_what_became_of_them(begin):
    begin(backend="emulator")
    _, cells, drive = network()
    asked = drive.get(["weight", "delay"], format="list")
    assert asked[0][2:] == (0.002, 1.0) and len(asked) == 200
    with pytest.raises(RuntimeError):
        drive.lost()
    sim.map_only()
    given = drive.get(["weight", "delay"], format="list")
    assert len(given) + len(drive.lost()) == 200 == drive.size()
    assert drive.get(["weight", "delay"], format="list", requested=True) == asked
    for (i, j, weight, delay), (k, m, wanted, _) in zip(given, asked):
        # four bits
        assert (i, j) == (k, m) and weight == pytest.approx(wanted, rel=0.2)
        assert 0.3 < delay < 3.0
    realised = cells.realised()
    assert realised["tau_m"].shape == (10,)
    assert realised["tau_m"] == pytest.approx(10.0, rel=0.1)
    # what is set since then is a request again
    drive.set(weight=0.004)
    assert {w for *_, w in drive.get("weight", format="list")} == {0.004}


def test_reports_have_the_keys_that_scripts_rely_on(begin):
    begin(backend="emulator")
    network()
    assert sim.run_report() is None
    sim.run(50.0)
    mapping, run = sim.mapping_report(), sim.run_report()
    assert mapping["neurons"] == 10 and mapping["sources"] == 20
    assert mapping["synapses_requested"] == 200 and mapping["verified"] is True
    for key in ("synapses_realised", "synapses_lost", "loss_fraction", "loss_by_cause",
                "loss_by_projection", "bound_loss_fraction", "ideal_l1_loss_fraction",
                "weight_error", "clipped", "hicanns_used", "l1_buses", "drivers_used",
                "neuron_sizes", "capacitor", "leak", "wall_s", "peak_rss_bytes"):
        assert key in mapping
    assert run["bio_ms"] == pytest.approx(50.0, abs=0.1) and run["wafer"] == "ideal"
    for key in ("hardware_s", "configuration_hardware_s", "wall_s", "real_time_factor", "spikes",
                "synaptic_events", "energy_estimate_j", "effects", "seed", "threads", "version"):
        assert key in run


def test_new_weights_need_no_new_placement(begin):
    begin(backend="emulator")
    _, cells, drive = network()
    sim.run(200.0)
    weak = cells.mean_spike_count()
    sim.reset()
    drive.set(weight=0.02)
    sim.run(200.0)
    assert cells.mean_spike_count() > weak
    assert sim.mapping_report()["wall_s"]["placement"] == 0


def test_a_reset_repeats_the_spikes(begin):
    begin(backend="emulator")
    _, cells, _ = network()
    for _ in range(2):
        sim.run(100.0)
        sim.run(100.0)
        sim.reset()
    first, second = cells.get_data().segments
    for a, b in zip(first.spiketrains, second.spiketrains):
        assert np.array_equal(a.magnitude, b.magnitude)


def test_two_runs_are_one(begin):
    spikes = []
    for parts in ([200.0], [100.0, 100.0], [33.3, 66.7, 0.1, 99.9]):
        begin(backend="emulator")
        noise = sim.Population(20, sim.SpikeSourcePoisson(rate=50.0))
        cells = sim.Population(10, sim.IF_cond_exp(**CELL))
        sim.Projection(noise, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.004))
        cells.record("spikes")
        for part in parts:
            sim.run(part)
        spikes.append(cells.get_data().segments[0].spiketrains.multiplexed)
    assert len(spikes[0][1]) > 20
    for other in spikes[1:]:
        assert np.array_equal(spikes[0][0], other[0]) and np.array_equal(spikes[0][1], other[1])


def test_many_short_runs_are_one_long_run(begin):
    spikes, rates, seconds = [], [], []
    for parts in ([2000.0], 20 * [100.0]):
        begin(backend="emulator")
        noise = sim.Population(500, sim.SpikeSourcePoisson(rate=20.0))
        cells = sim.Population(100, sim.IF_cond_exp(**CELL))
        sim.Projection(noise, cells, sim.FixedNumberPreConnector(40, rng=NumpyRNG(3)),
                       sim.StaticSynapse(weight=0.004))
        cells.record("spikes")
        sim.map_only()
        for part in parts:
            sim.run(part)
        wall_s = sim.run_report()["wall_s"]
        seconds.append(sum(wall_s.values()))
        rates.append(sim.run_report()["stimulus"]["sent"])
        spikes.append(cells.get_data().segments[0].spiketrains.multiplexed)
    (one, many), (whole, parts) = spikes, seconds
    assert len(one[0]) > 100 and rates[0] == rates[1]
    assert np.array_equal(one[0], many[0]) and np.array_equal(one[1], many[1])
    # what came before is neither built nor sent again
    assert parts < 3 * whole + 1.0, seconds


def test_a_grown_network_goes_on_from_where_it_was(begin):
    begin(backend="emulator")
    regular = sim.IF_cond_exp(**{**CELL, "v_rest": -40.0})
    first = sim.Population(3, regular, label="first")
    first.record("spikes")
    sim.run(100.0)
    alone = first.get_data(clear=True).segments[0].spiketrains[0].magnitude
    second = sim.Population(3, regular, label="second")
    second.record("spikes")
    with pytest.warns(UserWarning, match="grown"):
        sim.run(100.0)
    for cells in (first, second):
        train = cells.get_data().segments[0].spiketrains[0].magnitude
        # from rest, once more
        assert train == pytest.approx(100.0 + alone, abs=0.2)


def test_mappings_are_saved_and_loaded(begin):
    begin(backend="emulator")
    _, cells, drive = network()
    sim.run(100.0)
    spikes, weights = cells.get_spike_counts(), drive.get("weight", format="array")
    sim.save_mapping("mapping.bin")
    begin(backend="emulator")
    _, cells, drive = network()
    sim.load_mapping("mapping.bin")
    assert sim.mapping_report()["wall_s"]["placement"] == 0
    sim.run(100.0)
    assert np.array_equal(drive.get("weight", format="array"), weights, equal_nan=True)
    assert list(cells.get_spike_counts().values()) == list(spikes.values())


def test_things_show_themselves_in_notebooks(begin):
    begin(backend="emulator")
    _, cells, drive = network()
    sim.map_only()
    assert "10 IF_cond_exp" in cells._repr_html_()
    assert "lost on the wafer" in drive._repr_html_()
    picture = sim.wafer_picture("wafer.svg")
    assert picture._repr_svg_().lstrip().startswith("<svg")
    assert pathlib.Path("wafer.svg").read_text(encoding="utf-8") == picture.svg
    with pytest.raises(ValueError, match="views"):
        sim.wafer_picture(view="moon")
    sim.wafer_picture("wafer.png")
    assert pathlib.Path("wafer.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="wafer.jpg.*png"):
        sim.wafer_picture("wafer.jpg")


def test_wafer_and_reference_agree(begin):
    rates = []
    for backend in ("reference", "emulator"):
        begin(backend=backend)
        _, cells, _ = network()
        sim.run(2000.0)
        rates.append(cells.mean_spike_count())
    assert rates[0] > 5 and rates[1] == pytest.approx(rates[0], rel=0.25)


def test_clipping_is_told_once_and_in_words(begin):
    begin(backend="emulator")
    cells = sim.Population(2, sim.IF_cond_exp(**{**CELL, "tau_refrac": 0.01}), label="fast")
    cells.record("spikes")
    with pytest.warns(UserWarning, match="tau_refrac"):
        sim.run(5.0)
    begin(backend="emulator", on_clip="error")
    sim.Population(2, sim.IF_cond_exp(**{**CELL, "tau_refrac": 0.01}), label="fast")
    with pytest.raises(ValueError, match="tau_refrac"):
        sim.run(5.0)


def test_recorded_neurons_are_placed_where_the_adc_sees_them(begin):
    begin(backend="emulator")
    _, cells, drive = network()
    cells.record("v")
    sim.run(20.0)
    (signal,) = cells.get_data("v").segments[0].analogsignals
    assert signal.shape == (201, 10) and -95 < float(signal.min()) < float(signal.max()) < 0
    # two per reticle, on five of them; without recordings one chip is enough
    spread = sim.mapping_report()["hicanns_used"]
    assert drive.lost() == []
    begin(backend="emulator")
    _, cells, drive = network()
    sim.map_only()
    assert sim.mapping_report()["hicanns_used"] < spread
    # once a network runs its neurons stay
    sim.run(5.0)
    cells.record("v")
    with pytest.raises(sim.errors.RecordingError, match="before the first run"):
        sim.run(5.0)
    # the wafer has 96 outputs
    begin(backend="emulator")
    many = sim.Population(97, sim.IF_cond_exp(**CELL), label="many")
    many.record("v")
    with pytest.raises(sim.errors.RecordingError, match="96"):
        sim.run(5.0)


def test_the_probe_shows_any_membrane(begin):
    begin(backend="emulator", readout="probe")
    _, cells, _ = network()
    cells.record("v", sampling_interval=0.5)
    sim.run(20.0)
    (signal,) = cells.get_data("v").segments[0].analogsignals
    assert signal.shape == (41, 10) and -95 < float(signal.min()) < float(signal.max()) < 0


def test_the_name_that_scripts_expect():
    code = ("import sys; sys.argv = ['x', 'brainscales1'];"
            "from pyNN.utility import get_simulator; sim, _ = get_simulator();"
            "import pynn_brainscales1; assert sim is pynn_brainscales1")
    subprocess.run([sys.executable, "-c", code], check=True)
