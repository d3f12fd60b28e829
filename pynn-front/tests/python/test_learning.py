"""Long-term plasticity on the wafer, and what of it only the reference engine has."""

import numpy as np
import pytest

import pynn_brainscales1 as sim

CELL = dict(cm=0.2, tau_m=10.0, v_rest=-65.0, v_reset=-70.0, v_thresh=-50.0, tau_refrac=8.0,
            tau_syn_E=2.0, tau_syn_I=4.0, e_rev_E=0.0, e_rev_I=-90.0)


def mechanism(weight=0.005, weight_dependence=None, **rule):
    rule = {"tau_plus": 20.0, "tau_minus": 20.0, "A_plus": 0.05, "A_minus": 0.05, **rule}
    return sim.STDPMechanism(
        timing_dependence=sim.SpikePairRule(**rule),
        weight_dependence=weight_dependence or sim.AdditiveWeightDependence(w_min=0.0, w_max=0.01),
        weight=weight, delay=1.0)


def lesson(lead, pairs=12, **rule):
    """A cell that a teacher lets fire, and a plastic synapse whose spikes come before."""
    taught = np.arange(50.0, 50.0 + 100.0 * pairs, 100.0)
    pre = sim.Population(1, sim.SpikeSourceArray(spike_times=taught - lead), label="pre")
    teacher = sim.Population(1, sim.SpikeSourceArray(spike_times=taught), label="teacher")
    cell = sim.Population(1, sim.IF_cond_exp(**CELL), label="cell")
    cell.record("spikes")
    sim.Projection(teacher, cell, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.3, delay=1.0))
    return cell, sim.Projection(pre, cell, sim.AllToAllConnector(), mechanism(**rule),
                                label="plastic")


@pytest.mark.parametrize("backend", ["reference", "emulator"])
def test_order_decides_the_direction(begin, backend):
    for lead, grows in ((6.0, True), (-6.0, False)):
        begin(backend=backend)
        cell, plastic = lesson(lead)
        assert plastic.get("weight", format="array")[0, 0] == 0.005
        sim.run(1300.0)
        assert sum(cell.get_spike_counts().values()) >= 12
        (weight,) = plastic.get("weight", format="list", with_address=False)
        assert 0.0 <= weight <= 0.0102
        assert weight > 0.006 if grows else weight < 0.004


def test_the_wafer_learns_about_as_much_as_the_model(begin):
    change = []
    for backend in ("reference", "emulator"):
        begin(backend=backend)
        _, plastic = lesson(8.0, A_plus=0.03)
        sim.run(1300.0)
        change.append(plastic.get("weight", format="list", with_address=False)[0] - 0.005)
    assert change[0] > 0.001 and change[1] == pytest.approx(change[0], rel=0.5)


def test_weights_go_on_between_runs_and_start_again_after_a_reset(begin):
    begin(backend="emulator")
    _, plastic = lesson(6.0)
    sim.run(700.0)
    (half,) = plastic.get("weight", format="list", with_address=False)
    sim.run(600.0)
    (whole,) = plastic.get("weight", format="list", with_address=False)
    assert whole > half > 0.0055
    assert plastic.get("weight", format="list", with_address=False, requested=True) == [0.005]
    sim.reset()
    (again,) = plastic.get("weight", format="list", with_address=False)
    assert again == pytest.approx(0.005, rel=0.1)
    sim.run(1300.0)
    assert plastic.get("weight", format="list", with_address=False) == [whole]


def test_other_rules_raise_and_say_what_there_is(begin):
    begin(backend="emulator")
    cells = sim.Population(2, sim.IF_cond_exp(**CELL), label="cells")
    for dependence in (sim.MultiplicativeWeightDependence(w_max=0.01),
                       sim.GutigWeightDependence(w_max=0.01),
                       sim.AdditivePotentiationMultiplicativeDepression(w_max=0.01)):
        with pytest.raises(sim.errors.InvalidModelError, match="AdditiveWeightDependence"):
            sim.Projection(cells, cells, sim.AllToAllConnector(),
                           mechanism(weight_dependence=dependence))


@pytest.mark.parametrize("rule, part", [
    (dict(tau_plus=60.0), "tau_plus = 60"), (dict(A_plus=1e-6), "A_plus"),
    (dict(A_minus=5.0), "A_minus = 5")])
def test_what_synapses_cannot_do_is_refused_by_name(begin, rule, part):
    begin(backend="emulator")
    lesson(5.0, **rule)
    with pytest.raises(sim.errors.InvalidParameterValueError, match=part) as caught:
        sim.map_only()
    assert "plastic" in str(caught.value)
