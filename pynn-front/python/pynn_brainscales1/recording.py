"""Recording: which members and variables, and how engines' columns become Neo's objects."""


import neo
import numpy as np
from pyNN import recording

from . import simulator


class Recorder(recording.Recorder):
    _simulator = simulator

    def _wishes(self, variable):
        """Recorded members of a variable, ascending, as positions in the population."""
        for known, ids in self.recorded.items():
            if known.name == variable:
                first = int(self.population.first_id)
                return np.array(sorted(int(i) - first for i in ids), np.uint32)
        return np.empty(0, np.uint32)

    @property
    def variables(self):
        """Names of everything that is recorded."""
        return [variable.name for variable, ids in self.recorded.items() if ids]

    def _check_sampling_interval(self, sampling_interval):
        super()._check_sampling_interval(sampling_interval)
        if sampling_interval is not None:
            dt = self._simulator.state.dt
            steps = sampling_interval / dt if np.isfinite(sampling_interval) else 0.5
            if steps < 1 - 1e-9 or abs(steps - round(steps)) > 1e-6:
                raise ValueError(
                    f"sampling_interval = {sampling_interval:g} ms is no multiple of the time step "
                    f"{dt:g} ms")

    def _record(self, variable, new_ids, sampling_interval=None):
        if sampling_interval is not None and variable.name != "spikes":
            self.sampling_interval = sampling_interval
        if new_ids:
            self.population.engine.record(self.population, variable.name, new_ids)

    def _reset(self):
        self.population.engine.record_nothing(self.population)

    def _clear_simulator(self):
        self.population.engine.clear_data(self.population)

    def _get_spiketimes(self, ids, clear=False):
        members, times = self.population.engine.spikes(self.population)
        first = int(self.population.first_id)
        wanted = np.zeros(self.population.size, bool)
        wanted[[int(i) - first for i in ids]] = True
        keep = wanted[members]
        members, times = members[keep], times[keep]
        order = np.lexsort((times, members))
        return members[order].astype(int) + first, times[order].astype(float)

    def _get_all_signals(self, variable, ids, clear=False):
        first = int(self.population.first_id)
        own = np.array([int(i) - first for i in ids], np.uint32)
        return self.population.engine.signal(self.population, variable.name, own), None

    def _local_count(self, variable, filter_ids=None):
        ids = self.filter_recorded(variable, filter_ids)
        members, _ = self.population.engine.spikes(self.population)
        counts = np.bincount(members, minlength=self.population.size)
        first = int(self.population.first_id)
        return {int(i): int(counts[int(i) - first]) for i in sorted(ids)}

    def _get_current_segment(self, filter_ids=None, variables="all", clear=False):
        segment = super()._get_current_segment(filter_ids, variables, clear)
        notes = self.population.engine.annotations(self.population)
        if notes:
            segment.annotate(**notes)
        return segment

    def get(self, variables, gather=False, filter_ids=None, clear=False, annotations=None,
            locations=None):
        """The recorded data as a Neo `Block`: a segment for each run since the first `setup`, an
        empty one before any run."""
        state = self._simulator.state
        wanted = variables
        if variables != "all":
            wanted = self._localize_variables(variables, locations)
        block = neo.Block(name=self.population.label, description=self.population.describe())
        segments = [_only(segment, wanted) for segment in self.cache]
        if state.running:
            segments.append(self._get_current_segment(filter_ids, wanted, clear))
        if not segments:
            segments.append(neo.Segment(name=f"segment{state.segment_counter:03d}"))
        block.segments = segments
        for segment in segments:
            segment.block = block
        block.rec_datetime = segments[0].rec_datetime
        block.annotate(**self.metadata)
        block.annotate(**(annotations or {}))
        if clear:
            self.clear()
        return block


def _only(segment, variables):
    """A segment of an earlier run with some of its variables. PyNN's own function compares names
    with variables, and empties the segment that it was given."""
    names = None if variables == "all" else [variable.name for variable in variables]
    some = neo.Segment(name=segment.name, description=segment.description,
                       rec_datetime=segment.rec_datetime, **segment.annotations)
    if names is None or "spikes" in names:
        some.spiketrains = segment.spiketrains
    some.analogsignals = [s for s in segment.analogsignals if names is None or s.name in names]
    return some
