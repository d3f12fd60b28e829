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
        """The recorded data as a Neo `Block`; one empty segment before the first run."""
        names = variables if variables == "all" else list(self._names(variables))
        state = self._simulator.state
        if not self.cache._data and not state.running:
            block = neo.Block(name=self.population.label, description=self.population.describe())
            segment = neo.Segment(name=f"segment{state.segment_counter:03d}")
            block.segments.append(segment)
            segment.block = block
            block.annotate(**self.metadata)
            block.annotate(**(annotations or {}))
            return block
        block = super().get(variables, gather, filter_ids, clear, annotations, locations)
        if names != "all":
            # PyNN compares names with variables here and finds none in segments of earlier runs
            cached = zip(block.segments, self.cache) if not clear else ()
            for segment, whole in cached:
                if segment is not whole and segment.name == whole.name:
                    segment.analogsignals = [s for s in whole.analogsignals if s.name in names]
        return block

    @staticmethod
    def _names(variables):
        return [variables] if isinstance(variables, str) else variables
