#!/usr/bin/env python3
"""Runs an exported network (`bss1 export-network`) in NEST and writes its statistics as JSON.

    nest_reference.py NETWORK_DIR --duration MS --out FILE [--discard MS] [--resolution MS]
                      [--threads N]

The network is rebuilt as the wafer realises it: the exported connections with the conductances of
their 4-bit weights and the delays of their routes, the cell parameters that the 10-bit cells give,
and the input spikes as they were released at the wafer's edge. Neurons start at rest.

Statistics look at the time after `--discard`: rate over all neurons, CV of the inter-spike
intervals over neurons with at least ten spikes.
"""

import argparse
import json
import pathlib
import sys
import time

import numpy as np

# NEST has no event at time 0: inputs and results are shifted by this, a whole number of steps
OFFSET_MS = 1.0
# connections made in one call
CHUNK = 200_000
CV_MIN_SPIKES = 10


def nest_parameters(parameters):
    """PyNN's IF_cond_exp in NEST's names and units."""
    cm = parameters["cm"]
    return {
        "C_m": cm * 1e3,
        "g_L": cm * 1e3 / parameters["tau_m"],
        "E_L": parameters["v_rest"],
        "V_m": parameters["v_rest"],
        "V_reset": parameters["v_reset"],
        "V_th": parameters["v_thresh"],
        "t_ref": parameters["tau_refrac"],
        "tau_syn_ex": parameters["tau_syn_E"],
        "tau_syn_in": parameters["tau_syn_I"],
        "E_ex": parameters["e_rev_E"],
        "E_in": parameters["e_rev_I"],
    }


def statistics(times, ids, size, seconds):
    """Rate and irregularity; `ids` are 0..size."""
    rates = np.bincount(ids, minlength=size) / seconds
    cvs = []
    order = np.lexsort((times, ids))
    times, ids = times[order], ids[order]
    for train in np.split(times, np.flatnonzero(np.diff(ids)) + 1):
        if len(train) >= CV_MIN_SPIKES:
            intervals = np.diff(train)
            cvs.append(intervals.std() / intervals.mean())
    return {
        "rate_hz": float(rates.mean()),
        "rate_std_hz": float(rates.std()),
        "cv_isi": float(np.mean(cvs)) if cvs else None,
        "cv_neurons": len(cvs),
        "spikes": int(len(times)),
    }


def build(nest, folder, description, resolution):
    """Creates nodes and connections; returns the recorder and the NEST ids of all members."""
    ids = np.zeros(sum(p["size"] for p in description["populations"]), dtype=np.int64)
    recorder = nest.Create("spike_recorder")
    sources = np.load(folder / description["spikes"]["source"])
    spike_times = np.load(folder / description["spikes"]["time_ms"]) + OFFSET_MS
    # the wafer's 0.04 ms are whole steps; this removes the rounding of the last bit
    spike_times = np.round(spike_times / resolution) * resolution
    for population in description["populations"]:
        first, size = population["first"], population["size"]
        if population["model"] == "sources":
            nodes = nest.Create("spike_generator", size)
            bounds = np.searchsorted(sources, np.arange(first, first + size + 1))
            for node, begin, end in zip(nodes, bounds[:-1], bounds[1:]):
                # two spikes of a source may fall into one step: NEST counts them by multiplicity
                times, multiplicity = np.unique(
                    np.round(spike_times[begin:end], 6), return_counts=True
                )
                node.set(
                    spike_times=times.tolist(), spike_multiplicities=multiplicity.tolist()
                )
        elif population["model"] == "IF_cond_exp":
            columns = {
                name: np.load(folder / file) for name, file in population["parameters"].items()
            }
            nodes = nest.Create("iaf_cond_exp", size)
            # all at once: NEST checks reset against threshold at each call
            nodes.set({name: v.tolist() for name, v in nest_parameters(columns).items()})
            nest.Connect(nodes, recorder)
        else:
            sys.exit(f"model {population['model']} has no counterpart here; only IF_cond_exp has")
        ids[first : first + size] = nodes.tolist()

    load = lambda name: np.load(folder / description["connections"][name])
    pre, post = ids[load("pre")], ids[load("post")]
    # uS to nS; NEST tells inhibition by the sign
    weight = load("weight_uS") * 1e3 * np.where(load("receptor") == 0, 1.0, -1.0)
    delay = np.round(load("delay_ms") / resolution) * resolution
    for begin in range(0, len(pre), CHUNK):
        part = slice(begin, begin + CHUNK)
        nest.Connect(
            pre[part],
            post[part],
            "one_to_one",
            {"synapse_model": "static_synapse", "weight": weight[part], "delay": delay[part]},
        )
    return recorder, ids


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", type=pathlib.Path)
    parser.add_argument("--duration", type=float, required=True, help="ms")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="JSON file")
    parser.add_argument("--discard", type=float, default=1000.0, help="ms")
    parser.add_argument("--resolution", type=float, default=0.02, help="ms")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()

    import nest

    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.ResetKernel()
    nest.set(resolution=arguments.resolution, local_num_threads=arguments.threads)
    description = json.loads((arguments.network / "network.json").read_text())
    if description["spikes"] is None:
        sys.exit("the mapping was saved without a run: it has no input spikes")
    start = time.perf_counter()
    recorder, ids = build(nest, arguments.network, description, arguments.resolution)
    built = time.perf_counter()
    nest.Simulate(arguments.duration + OFFSET_MS)
    simulated = time.perf_counter()

    events = recorder.get("events")
    times = np.asarray(events["times"]) - OFFSET_MS
    senders = np.asarray(events["senders"])
    number = np.full(ids.max() + 1, -1)
    number[ids] = np.arange(len(ids))
    members = number[senders]
    seconds = (arguments.duration - arguments.discard) * 1e-3
    counts = (times >= arguments.discard) & (times < arguments.duration)
    result = {}
    for population in description["populations"]:
        if population["model"] == "sources":
            continue
        first, size = population["first"], population["size"]
        mine = counts & (members >= first) & (members < first + size)
        result[population["label"]] = statistics(times[mine], members[mine] - first, size, seconds)
    report = {
        "populations": result,
        "nest": nest.__version__,
        "resolution_ms": arguments.resolution,
        "threads": arguments.threads,
        "wall_s": {"build": built - start, "simulate": simulated - built},
    }
    arguments.out.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
