#!/usr/bin/env python3
"""Runs an exported network (`bss1 export-network`) in Brian2's C++ standalone mode, on one thread,
and writes its statistics and times as JSON.

    brian2_reference.py NETWORK_DIR --duration MS --out FILE [--discard MS] [--spikes DIR] [--resolution MS]

Neurons start at rest. Within a step conductances act with their mean: with that of its beginning, which
Brian2 takes by itself, strong synapses are too strong. The time of a run is that of its loop, as Brian2
itself measures it: neither code generation, nor compilation, nor creation of the network.
"""

import argparse
import json
import pathlib
import tempfile
import time

import numpy as np
from exported_network import ExportedNetwork

EQUATIONS = """
dv/dt = (gl*(el - v) + me*ge*(ee - v) + mi*gi*(ei - v)) / c_m : volt (unless refractory)
dge/dt = -ge/te : siemens
dgi/dt = -gi/ti : siemens
c_m : farad (constant)
gl : siemens (constant)
el : volt (constant)
ee : volt (constant)
ei : volt (constant)
te : second (constant)
ti : second (constant)
me : 1 (constant)
mi : 1 (constant)
vt : volt (constant)
vr : volt (constant)
tr : second (constant)
"""


def step_mean(tau_ms, step_ms):
    """Mean of a decaying conductance over a step, as a share of its value at the beginning."""
    steps = step_ms / tau_ms
    return -np.expm1(-steps) / steps


def one_per_step(steps, source):
    """Steps of spikes, later where a source would spike twice in one: Brian2 takes no second spike."""
    order = np.lexsort((steps, source))
    steps, source = steps[order], source[order]
    for train in np.split(np.arange(len(steps)), np.flatnonzero(np.diff(source)) + 1):
        number = np.arange(len(train))
        steps[train] = np.maximum.accumulate(steps[train] - number) + number
    return steps, source


def build(brian2, network, step_ms):
    """The objects of the network; the spike monitor is the last."""
    from brian2 import ms, mV, nF, uS

    neurons, sources = network.neurons(), network.sources()
    # place of each member within its group
    place = np.zeros(network.size, dtype=np.int64)
    is_source = np.zeros(network.size, dtype=bool)
    for group in (neurons, sources):
        taken = 0
        for p in group:
            place[p["first"] : p["first"] + p["size"]] = np.arange(taken, taken + p["size"])
            is_source[p["first"] : p["first"] + p["size"]] = group is sources
            taken += p["size"]
    column = lambda name: np.concatenate([p["values"][name] for p in neurons])
    group = brian2.NeuronGroup(
        sum(p["size"] for p in neurons),
        EQUATIONS,
        threshold="v >= vt",
        reset="v = vr",
        refractory="tr",
        method="exponential_euler",
    )
    group.c_m = column("cm") * nF
    group.gl = column("cm") / column("tau_m") * uS
    group.el, group.v = column("v_rest") * mV, column("v_rest") * mV
    group.ee, group.ei = column("e_rev_E") * mV, column("e_rev_I") * mV
    group.te, group.ti = column("tau_syn_E") * ms, column("tau_syn_I") * ms
    group.me = step_mean(column("tau_syn_E"), step_ms)
    group.mi = step_mean(column("tau_syn_I"), step_ms)
    group.vt, group.vr = column("v_thresh") * mV, column("v_reset") * mV
    # a spike carries the time at which its step begins, but the reset comes at its end
    group.tr = (np.round(column("tau_refrac") / step_ms) + 1) * step_ms * ms
    objects = [group]
    origins = [(group, ~is_source[network.pre])]
    if sources:
        steps, source = one_per_step(
            np.round(network.spike_time_ms / step_ms).astype(np.int64), place[network.spike_source]
        )
        inputs = brian2.SpikeGeneratorGroup(
            sum(p["size"] for p in sources), source, steps * step_ms * ms
        )
        objects.append(inputs)
        origins.append((inputs, is_source[network.pre]))
    for origin, chosen in origins:
        for variable, inhibitory in (("ge", False), ("gi", True)):
            these = np.flatnonzero(chosen & (network.inhibitory == inhibitory))
            if not len(these):
                continue
            # by source, as its spikes are delivered
            these = these[np.lexsort((network.post[these], network.pre[these]))]
            synapses = brian2.Synapses(
                origin, group, "w : siemens (constant)", on_pre=f"{variable}_post += w"
            )
            synapses.connect(i=place[network.pre[these]], j=place[network.post[these]])
            synapses.w = network.weight_us[these] * uS
            synapses.delay = np.round(network.delay_ms[these] / step_ms) * step_ms * ms
            objects.append(synapses)
    objects.append(brian2.SpikeMonitor(group))
    return objects


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", type=pathlib.Path)
    parser.add_argument("--duration", type=float, required=True, help="ms")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="JSON file")
    parser.add_argument("--discard", type=float, default=1000.0, help="ms")
    parser.add_argument("--spikes", type=pathlib.Path, help="folder for the spikes as arrays")
    parser.add_argument("--resolution", type=float, default=0.1, help="ms")
    arguments = parser.parse_args()

    import brian2

    network = ExportedNetwork(arguments.network)
    with tempfile.TemporaryDirectory() as folder:
        brian2.set_device("cpp_standalone", build_on_run=False, directory=folder)
        brian2.defaultclock.dt = arguments.resolution * brian2.ms
        start = time.perf_counter()
        objects = build(brian2, network, arguments.resolution)
        brian2.Network(*objects).run(arguments.duration * brian2.ms)
        brian2.device.build(directory=folder, compile=True, run=False, debug=False)
        built = time.perf_counter()
        brian2.device.run(directory=folder, with_output=False, run_args=[])
        # what the program says of itself: seconds of its loop, share completed
        words = next(pathlib.Path(folder).rglob("last_run_info.txt")).read_text().split()
        seconds = float(words[0])
        monitor = objects[-1]
        times, ids = np.asarray(monitor.t / brian2.ms), np.asarray(monitor.i)
    members = np.concatenate(
        [np.arange(p["first"], p["first"] + p["size"]) for p in network.neurons()]
    )[ids]
    if arguments.spikes:
        arguments.spikes.mkdir(parents=True, exist_ok=True)
        network.save_spikes(arguments.spikes, times, members)
    report = {
        "populations": network.statistics(times, members, arguments.discard, arguments.duration),
        "simulator": f"Brian2 {brian2.__version__}",
        "resolution_ms": arguments.resolution,
        "threads": 1,
        "wall_s": {"build": built - start, "simulate": seconds},
    }
    arguments.out.write_text(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()
