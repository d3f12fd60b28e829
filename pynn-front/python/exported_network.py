"""A network as `bss1 export-network` writes it, and statistics of what it does.

The wafer realises connections with the conductances of their 4-bit weights and the delays of their
routes, the cell parameters that its 10-bit cells give, and the input spikes as they were released
at its edge. Members of all populations are numbered in one row.
"""

import json
import pathlib
import sys

import numpy as np

# width of the bins of the population's histogram behind the synchrony
SYNCHRONY_BIN_MS = 3.0
# irregularity of fewer spikes means nothing
CV_MIN_SPIKES = 10


class ExportedNetwork:
    """Arrays of an exported network; weights in uS, times in ms, voltages in mV."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        description = json.loads((folder / "network.json").read_text())
        self.populations = description["populations"]
        self.size = sum(population["size"] for population in self.populations)
        if "U" in description["connections"]:
            sys.exit(f"{folder}: synapses with short-term plasticity have no counterpart here")
        load = lambda name: np.load(folder / description["connections"][name])
        self.pre, self.post = load("pre"), load("post")
        self.inhibitory = load("receptor") == 1
        self.weight_us, self.delay_ms = load("weight_uS"), load("delay_ms")
        if description["spikes"] is None:
            sys.exit("the mapping was saved without a run: it has no input spikes")
        self.spike_source = np.load(folder / description["spikes"]["source"])
        self.spike_time_ms = np.load(folder / description["spikes"]["time_ms"])
        for population in self.populations:
            if population["model"] not in ("sources", "IF_cond_exp"):
                sys.exit(f"model {population['model']} has no counterpart here, IF_cond_exp has")
            population["values"] = {
                name: np.load(folder / file) for name, file in population["parameters"].items()
            }

    def neurons(self):
        """Populations that are no sources."""
        return [p for p in self.populations if p["model"] != "sources"]

    def sources(self):
        """Populations of spike sources."""
        return [p for p in self.populations if p["model"] == "sources"]

    def statistics(self, times_ms, members, from_ms, to_ms):
        """Rate, irregularity and spike counts of each population within the window."""
        counted = (times_ms >= from_ms) & (times_ms < to_ms)
        result = {}
        for population in self.neurons():
            first, size = population["first"], population["size"]
            mine = counted & (members >= first) & (members < first + size)
            result[population["label"]] = _statistics(
                times_ms[mine], members[mine] - first, size, from_ms, to_ms
            )
        return result

    def save_spikes(self, folder, times_ms, members):
        """Spikes of neurons as two arrays: number of the member and time, by time."""
        order = np.argsort(times_ms, kind="stable")
        np.save(folder / "spike_member.npy", members[order].astype("<u4"))
        np.save(folder / "spike_time_ms.npy", times_ms[order].astype("<f8"))


def _statistics(times, ids, size, from_ms, to_ms):
    """Rate, irregularity and synchrony; `ids` are 0..size."""
    counts = np.bincount(ids, minlength=size)
    rates = counts / (to_ms - from_ms) * 1e3
    bins = round((to_ms - from_ms) / SYNCHRONY_BIN_MS)
    together, _ = np.histogram(times, bins, (from_ms, from_ms + bins * SYNCHRONY_BIN_MS))
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
        "synchrony": float(together.var() / together.mean()) if len(times) else None,
        "spikes": int(len(times)),
        "spike_counts": counts.tolist(),
    }
