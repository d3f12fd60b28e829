#!/usr/bin/env python3
"""Runs an exported network (`bss1 export-network`) in NEST and writes its statistics as JSON.

    nest_reference.py NETWORK_DIR --duration MS --out FILE [--discard MS] [--spikes DIR] [--resolution MS]
                      [--threads N]

Neurons start at rest. Statistics look at the time after `--discard`: rate over all neurons, CV of
the inter-spike intervals over neurons with at least ten spikes, number of spikes of each neuron.
"""

import argparse
import json
import pathlib
import time

import numpy as np
from exported_network import ExportedNetwork

# NEST has no event at time 0: inputs and results are shifted by this, a whole number of steps
OFFSET_MS = 1.0
# connections made in one call
CHUNK = 200_000


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


def build(nest, network, resolution):
    """Creates nodes and connections; returns the recorder and the NEST ids of all members."""
    ids = np.zeros(network.size, dtype=np.int64)
    recorder = nest.Create("spike_recorder")
    # the wafer's 0.04 ms are whole steps of 0.02 ms; this removes the rounding of the last bit
    spike_times = np.round((network.spike_time_ms + OFFSET_MS) / resolution) * resolution
    for population in network.populations:
        first, size = population["first"], population["size"]
        if population["model"] == "sources":
            nodes = nest.Create("spike_generator", size)
            bounds = np.searchsorted(network.spike_source, np.arange(first, first + size + 1))
            for node, begin, end in zip(nodes, bounds[:-1], bounds[1:]):
                # two spikes of a source may fall into one step: NEST counts them by multiplicity
                times, multiplicity = np.unique(
                    np.round(spike_times[begin:end], 6), return_counts=True
                )
                # NEST takes no empty lists
                if begin < end:
                    node.set(
                        spike_times=times.tolist(), spike_multiplicities=multiplicity.tolist()
                    )
        else:
            nodes = nest.Create("iaf_cond_exp", size)
            # all at once: NEST checks reset against threshold at each call
            nodes.set({k: v.tolist() for k, v in nest_parameters(population["values"]).items()})
            nest.Connect(nodes, recorder)
        ids[first : first + size] = nodes.tolist()

    pre, post = ids[network.pre], ids[network.post]
    # uS to nS; NEST tells inhibition by the sign
    weight = network.weight_us * 1e3 * np.where(network.inhibitory, -1.0, 1.0)
    delay = np.round(network.delay_ms / resolution) * resolution
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
    parser.add_argument("--spikes", type=pathlib.Path, help="folder for the spikes as arrays")
    parser.add_argument("--resolution", type=float, default=0.02, help="ms")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()

    import nest

    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.ResetKernel()
    nest.set(resolution=arguments.resolution, local_num_threads=arguments.threads)
    network = ExportedNetwork(arguments.network)
    start = time.perf_counter()
    recorder, ids = build(nest, network, arguments.resolution)
    # the first call prepares buffers; it is not simulation
    nest.Prepare()
    built = time.perf_counter()
    nest.Run(arguments.duration + OFFSET_MS)
    simulated = time.perf_counter()
    nest.Cleanup()

    events = recorder.get("events")
    times = np.asarray(events["times"]) - OFFSET_MS
    number = np.full(ids.max() + 1, -1)
    number[ids] = np.arange(len(ids))
    members = number[np.asarray(events["senders"])]
    if arguments.spikes:
        arguments.spikes.mkdir(parents=True, exist_ok=True)
        network.save_spikes(arguments.spikes, times, members)
    report = {
        "populations": network.statistics(times, members, arguments.discard, arguments.duration),
        "simulator": f"NEST {nest.__version__}",
        "resolution_ms": arguments.resolution,
        "threads": arguments.threads,
        "wall_s": {"build": built - start, "simulate": simulated - built},
    }
    arguments.out.write_text(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()
