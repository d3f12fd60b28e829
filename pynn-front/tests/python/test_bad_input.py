"""Wrong input gives the right error at the earliest point, and a message that names the culprit."""

import warnings

import numpy as np
import pytest

import pynn_brainscales1 as sim
from pynn_brainscales1 import errors

NAN = float("nan")


def cells(**parameters):
    return sim.Population(3, sim.IF_cond_exp(**parameters), label="cells")


def synapse(**parameters):
    return sim.StaticSynapse(**{"weight": 0.01, "delay": 1.0, **parameters})


def project(connector=None, syn=None, pre=None, post=None, **more):
    pre = pre or sim.Population(2, sim.SpikeSourceArray(spike_times=[5.0]), label="input")
    post = post or cells()
    return sim.Projection(pre, post, connector or sim.AllToAllConnector(), syn or synapse(), **more)


VALUE = errors.InvalidParameterValueError
CONNECTION = errors.ConnectionError

#: Name, call, error, what the message names.
CASES = [
    # sizes
    ("no cells", lambda: sim.Population(0, sim.IF_cond_exp()), ValueError, "at least one"),
    ("half a cell", lambda: sim.Population(2.5, sim.IF_cond_exp()), ValueError, "size"),
    ("no cell type", lambda: sim.Population(2, "IF_cond_exp"), TypeError, ""),
    ("wrong length", lambda: cells(tau_m=[10.0, 20.0]), ValueError, "tau_m has 2 values for 3"),
    ("too many trains", lambda: sim.Population(2, sim.SpikeSourceArray(
        spike_times=[[1.0], [2.0], [3.0]])), ValueError, "spike_times has 3 values for 2"),
    # parameters
    ("unknown", lambda: cells(tau_x=1.0), errors.NonExistentParameterError, "tau_x"),
    ("text", lambda: cells(tau_m="long"), VALUE, "tau_m"),
    ("negative tau_m", lambda: cells(tau_m=-1.0), VALUE, "tau_m = -1"),
    ("zero cm", lambda: cells(cm=0.0), VALUE, "cm = 0"),
    ("NaN", lambda: cells(v_rest=NAN), VALUE, "v_rest = nan"),
    ("infinite", lambda: cells(v_thresh=np.inf), VALUE, "v_thresh = inf"),
    ("negative refractory", lambda: cells(tau_refrac=-0.1), VALUE, "tau_refrac"),
    ("one of many", lambda: cells(tau_m=[10.0, 0.0, 5.0]), VALUE, "tau_m = 0"),
    ("reset above threshold", lambda: cells(v_reset=-40.0), VALUE, "v_reset"),
    ("set negative", lambda: cells().set(tau_syn_E=-2.0), VALUE, "tau_syn_E"),
    ("set unknown", lambda: cells().set(foo=1.0), errors.NonExistentParameterError, "foo"),
    ("get unknown", lambda: cells().get("foo"), errors.NonExistentParameterError, "foo"),
    ("set length", lambda: cells().set(tau_m=[1.0, 2.0]), ValueError, ""),
    ("initialize unknown", lambda: cells().initialize(u=1.0), VALUE, "u"),
    ("initialize NaN", lambda: cells().initialize(v=NAN), VALUE, "v = nan"),
    # sources
    ("negative rate", lambda: sim.Population(1, sim.SpikeSourcePoisson(rate=-1.0)), VALUE, "rate"),
    ("NaN rate", lambda: sim.Population(1, sim.SpikeSourcePoisson(rate=NAN)), VALUE, "rate"),
    ("unsorted spikes", lambda: sim.Population(1, sim.SpikeSourceArray(spike_times=[2.0, 1.0])),
     VALUE, "ascend"),
    ("negative spikes", lambda: sim.Population(1, sim.SpikeSourceArray(spike_times=[-2.0])),
     VALUE, "-2"),
    ("NaN spikes", lambda: sim.Population(1, sim.SpikeSourceArray(spike_times=[NAN])),
     VALUE, "nan"),
    # synapses
    ("negative weight", lambda: project(syn=synapse(weight=-0.1), receptor_type="excitatory"),
     CONNECTION, "eight"),
    ("NaN weight", lambda: project(syn=synapse(weight=NAN), receptor_type="excitatory"),
     CONNECTION, "eight"),
    ("negative list weight", lambda: project(sim.FromListConnector([(0, 0, -1.0, 1.0)])),
     CONNECTION, "-1"),
    ("negative delay", lambda: project(syn=synapse(delay=-1.0)), CONNECTION, "delay -1"),
    ("pre index", lambda: project(sim.FromListConnector([(7, 0, 0.1, 1.0)])), CONNECTION, "7"),
    ("post index", lambda: project(sim.FromListConnector([(0, 9, 0.1, 1.0)])), CONNECTION, "9"),
    ("negative index", lambda: project(sim.FromListConnector([(0, -1, 0.1, 1.0)])),
     CONNECTION, "-1"),
    ("broken index", lambda: project(sim.FromListConnector([(0.5, 0, 0.1, 1.0)])),
     CONNECTION, "whole"),
    ("three columns", lambda: sim.FromListConnector([(0, 0, 0.1)]), TypeError, "column_names"),
    ("column name", lambda: project(
        sim.FromListConnector([(0, 0, 0.1)], column_names=["foo"])), ValueError, "foo"),
    ("array shape", lambda: project(sim.ArrayConnector(np.ones((5, 5), bool))), Exception, ""),
    ("probability", lambda: sim.FixedProbabilityConnector(-0.5), ValueError, "p_connect = -0.5"),
    ("large probability", lambda: sim.FixedProbabilityConnector(1.5), ValueError, "p_connect = 1.5"),
    ("probability NaN", lambda: sim.FixedProbabilityConnector(NAN), ValueError, "p_connect = nan"),
    ("negative number", lambda: sim.FixedNumberPreConnector(-5), ValueError, "n = -5"),
    ("broken number", lambda: sim.FixedNumberPostConnector(2.5), ValueError, "n = 2.5"),
    ("receptor", lambda: project(receptor_type="nmda"), CONNECTION, "nmda"),
    ("onto sources", lambda: project(
        post=sim.Population(1, sim.SpikeSourceArray(), label="out")), CONNECTION, "out"),
    ("no population", lambda: sim.Projection("a", cells(), sim.AllToAllConnector()),
     CONNECTION, ""),
    ("no connector", lambda: project("all"), TypeError, ""),
    ("U", lambda: project(syn=sim.TsodyksMarkramSynapse(weight=0.01, U=1.5)), VALUE, "U = 1.5"),
    ("set weight negative", lambda: project().set(weight=-1.0), CONNECTION, "-1"),
    ("set weight shape", lambda: project().set(weight=np.ones((7, 7))),
     errors.InvalidDimensionsError, "(7, 7)"),
    ("set weight length", lambda: project().set(weight=[0.1] * 5),
     errors.InvalidDimensionsError, "(5,)"),
    ("set unknown attribute", lambda: project().set(foo=1.0),
     errors.NonExistentParameterError, "foo"),
    ("get format", lambda: project().get("weight", format="table"), ValueError, "table"),
    ("get attribute", lambda: project().get("foo", format="list"),
     errors.NonExistentParameterError, "foo"),
    # recording
    ("record unknown", lambda: cells().record("temperature"), errors.RecordingError, ""),
    ("record v of sources", lambda: sim.Population(1, sim.SpikeSourceArray()).record("v"),
     errors.RecordingError, ""),
    ("interval", lambda: cells().record("v", sampling_interval=0.25), ValueError, "0.25"),
    ("negative interval", lambda: cells().record("v", sampling_interval=-1.0), ValueError, "-1"),
    ("two intervals", lambda: [c.record("v", sampling_interval=i) for c in [cells()]
                               for i in (0.5, 1.0)], ValueError, ""),
    ("text file", lambda: cells().write_data("data.txt"), OSError, ""),
    # running
    ("NaN time", lambda: sim.run(NAN), ValueError, "simtime = nan"),
    ("endless", lambda: sim.run(np.inf), ValueError, "simtime = inf"),
    ("too long", lambda: sim.run(1e30), ValueError, "1e+10"),
    ("time as text", lambda: sim.run_until("10"), TypeError, "time_point = '10'"),
    ("negative time", lambda: sim.run(-1.0), ValueError, "past"),
    ("into the past", lambda: [sim.run(5.0), sim.run_until(2.0)], ValueError, "past"),
    ("missing file", lambda: project(sim.FromFileConnector("missing.txt")), OSError, "missing"),
]


@pytest.mark.parametrize("name, call, error, part", CASES, ids=[case[0] for case in CASES])
def test_wrong_networks(sim_of_each, name, call, error, part):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(error) as caught:
            call()
    assert part in str(caught.value)


@pytest.fixture(params=["reference", "emulator"])
def sim_of_each(request, begin):
    return begin(backend=request.param)


SETUP = [
    (dict(backend="nest"), ValueError, "backend"),
    (dict(timestep=0.0), ValueError, "timestep"),
    (dict(timestep=NAN), ValueError, "timestep"),
    (dict(min_delay=-1.0), Exception, "min_delay"),
    (dict(min_delay=2.0, max_delay=1.0), Exception, "min_delay"),
    (dict(dt=0.1), Exception, "dt"),
    (dict(seed=-1), ValueError, "seed"),
    (dict(seed=1.5), TypeError, "seed"),
    (dict(threads=0), ValueError, "threads"),
    (dict(wafer="best"), TypeError, "wafer"),
    (dict(wafer=-3), ValueError, "wafer"),
    (dict(effects="some"), ValueError, "effects"),
    (dict(effects={"noise": True}, backend="emulator"), ValueError, "noise"),
    (dict(effects={"mismatch": 1}), TypeError, "effects"),
    (dict(neuron_size=5, backend="emulator"), ValueError, "neuron_size"),
    (dict(capacitor="huge"), ValueError, "capacitor"),
    (dict(leak="none"), ValueError, "leak"),
    (dict(voltage_window=(1, 2, 3)), ValueError, "voltage_window"),
    (dict(voltage_window=(0, -70, 0.4, 1.2), backend="emulator"), ValueError, ""),
    (dict(readout="scope"), ValueError, "readout"),
    (dict(speedup=0), ValueError, "speedup"),
    (dict(effort="lazy"), ValueError, "effort"),
    (dict(on_loss="cry"), ValueError, "on_loss"),
    (dict(defects="missing.json", backend="emulator"), OSError, "missing.json"),
]


@pytest.mark.parametrize("keywords, error, part", SETUP, ids=[str(case[0]) for case in SETUP])
def test_wrong_setup(begin, keywords, error, part):
    with pytest.raises(error) as caught:
        begin(**keywords)
    assert part in str(caught.value)
    begin()


def test_unknown_keyword_warns_with_the_nearest(begin):
    with pytest.warns(UserWarning, match="readuot.*readout"):
        begin(readuot="probe")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        begin(rng_seed=3, spike_precision="on_grid")


def test_after_the_end_nothing_runs(begin):
    begin()
    sim.end()
    sim.end()
    for call in (lambda: sim.run(1.0), lambda: sim.run_until(9.0), sim.reset):
        with pytest.raises(RuntimeError, match="end"):
            call()


@pytest.mark.parametrize("call", [
    lambda: sim.run(5.0), lambda: sim.map_only(), lambda: sim.load_mapping("mapping.bin")])
def test_after_the_end_nothing_is_mapped(begin, call):
    begin(backend="emulator")
    drive = project()
    sim.run(1.0)
    sim.end()
    with pytest.raises(RuntimeError, match="end"):
        call()
    # but what became of it can be read
    assert sim.mapping_report()["verified"] and sim.run_report() and drive.lost() == []


def test_rates_beyond_the_link_of_a_chip(begin):
    begin(backend="emulator")
    source = sim.Population(1, sim.SpikeSourcePoisson(rate=1e6), label="siren")
    project(pre=source)
    with pytest.raises(ValueError, match="siren.*link"):
        sim.run(1.0)


def test_objects_of_an_earlier_setup_say_so(begin):
    begin()
    old = cells()
    old.record("spikes")
    begin()
    with pytest.raises(RuntimeError, match="earlier setup"):
        old.get_spike_counts()
    with pytest.raises(RuntimeError, match="earlier setup"):
        project(pre=old)


def test_what_only_the_reference_engine_has(begin):
    begin(backend="emulator")
    with pytest.raises(errors.InvalidModelError, match="IF_cond_exp_gsfa_grr"):
        sim.Population(1, sim.IF_cond_exp_gsfa_grr())
    with pytest.raises(errors.InvalidModelError, match="ACSource"):
        sim.ACSource()
    with pytest.raises(errors.RecordingError, match="gsyn_exc of `cells`.*reference"):
        cells().record("gsyn_exc")
    assert not hasattr(sim, "IF_curr_exp")
    with pytest.raises(AttributeError, match="no IF_curr_exp: .*IF_cond_exp"):
        sim.IF_curr_exp(tau_m=10.0)
    with pytest.raises(AttributeError, match="no attribute 'IF_cond'"):
        sim.IF_cond()


def test_delays_that_no_route_has(begin):
    begin(backend="emulator")
    project(syn=synapse(delay=50.0), label="late")
    project(syn=synapse(delay=1.0), label="prompt")
    with pytest.warns(UserWarning) as told:
        sim.run(1.0)
    delays = [str(one.message) for one in told if "delay" in str(one.message)]
    assert len(delays) == 1 and "`late`: delay = 50 ms" in delays[0] and "routes" in delays[0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sim.run(1.0)


def test_the_reference_engine_maps_nothing(begin):
    begin()
    with pytest.raises(RuntimeError, match="emulator"):
        sim.mapping_report()
    with pytest.raises(RuntimeError, match="emulator"):
        project().lost()


def test_files_of_mappings(begin, tmp_path):
    begin(backend="emulator")
    project()
    with pytest.raises(RuntimeError):
        sim.save_mapping("early.bin")
    with pytest.raises(OSError, match="missing.bin"):
        sim.load_mapping("missing.bin")
    sim.map_only()
    sim.save_mapping("mapping.bin")
    whole = (tmp_path / "mapping.bin").read_bytes()
    for name, content in (("cut.bin", whole[:-7]), ("empty.bin", b""),
                          ("bent.bin", whole[:100] + b"x" + whole[101:])):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(OSError, match=name):
            sim.load_mapping(name)
    begin(backend="emulator")
    cells()
    with pytest.raises(OSError, match="mapping.bin"):
        sim.load_mapping("mapping.bin")
