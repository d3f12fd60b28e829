"""The two engines that a network can run on, under one interface: the Python layer keeps the network,
and gives an engine what has changed before it runs."""

import logging
import os

import numpy as np
from pyNN import errors

from . import _core, simulator
from ._errors import ReadoutError
from .standardmodels import LAWS

#: Delays that are further from those of the routes than this, ms, are worth a warning.
FAR_MS = 1.0

_REFERENCE_ONLY = "on the reference engine nothing is mapped; use backend=\"emulator\""


class Reference:
    """The network as it was meant: double precision, unmapped."""

    name = "reference"

    def __init__(self, timestep, options):
        self.timestep = timestep
        self.engine = _core.Engine(timestep, options["seed"], options["threads"])

    # --- checks when something is created -----------------------------------------------------

    def check_cell_type(self, population):
        pass

    def check_synapse_type(self, projection):
        pass

    def check_current_source(self, source):
        pass

    # --- before a run -------------------------------------------------------------------------

    def flush(self, state):
        for population in state.populations:
            self._flush_population(population)
        for projection in state.projections:
            self._flush_projection(projection)
        for source in state.current_sources:
            if source._number is None:
                source._number = self.engine.add_current(*source.waveform())
                if source._cells:
                    self.inject(source, source._cells)
                if source._recorded:
                    self.record_current(source)

    def _flush_population(self, population):
        if population._number is None:
            model = type(population.celltype).__name__
            population._number = self.engine.add_population(model, population.size)
            for variable in population.recorder.variables:
                self.record(population, variable, None)
        for name in sorted(population._changed):
            if name == "spike_times":
                self.engine.set_spike_times(population._number, list(population._columns[name]))
            else:
                self.engine.set_parameter(population._number, name, population.column(name))
        population._changed.clear()
        for variable in sorted(population._uninitialized):
            self.engine.initialize(population._number, variable, population._initial[variable])
        population._uninitialized.clear()

    def _flush_projection(self, projection):
        columns = projection._columns
        if projection._number is None:
            pre, post = projection.members()
            projection._number = self.engine.connect(
                projection.receptor, pre, post, columns["weight"], columns["delay"],
                *projection.laws()) if len(projection) else -1
        elif len(projection):
            changed = projection._changed
            if changed - {"weight", "delay"}:
                self.engine.set_laws(projection._number, *projection.laws())
            if "weight" in changed:
                self.engine.set_weights(projection._number, columns["weight"])
            if "delay" in changed:
                self.engine.set_delays(projection._number, columns["delay"])
        projection._changed.clear()

    # --- currents -----------------------------------------------------------------------------

    def set_current(self, source):
        self.engine.set_current(source._number, *source.waveform())

    def inject(self, source, cells):
        self.engine.inject(source._number, np.asarray(cells, np.uint32))

    def record_current(self, source):
        self.engine.record_current(source._number)

    def recorded_current(self, source):
        recorded = self.engine.recorded_current(source._number)
        # at the end of the last step the amplitude still stands
        return np.append(recorded, recorded[-1:])

    # --- running ------------------------------------------------------------------------------

    @property
    def now(self):
        return self.engine.now

    def run(self, until, progress):
        self.engine.run(until, progress)

    def reset(self):
        self.engine.reset()

    def take_warnings(self):
        return []

    # --- recording ----------------------------------------------------------------------------

    def record(self, population, variable, ids):
        if population._number is None:
            return
        first = int(population.first_id)
        if ids is None:
            own = population.recorder._wishes(variable)
        else:
            own = np.array(sorted(int(i) - first for i in ids), np.uint32)
        if variable == "spikes":
            self.engine.record_spikes(population._number, own)
        else:
            every = round(population.recorder.sampling_interval / self.timestep)
            self.engine.record(population._number, variable, own, every)

    def record_nothing(self, population):
        if population._number is not None:
            self.engine.record_nothing(population._number)

    def clear_data(self, population):
        if population._number is not None:
            self.engine.clear_data(population._number)

    def spikes(self, population):
        if population._number is None:
            return np.empty(0, np.uint32), np.empty(0)
        return self.engine.spikes(population._number)

    def signal(self, population, variable, own):
        if population._number is None:
            return np.empty((0, 0))
        known, samples = self.engine.signal(population._number, variable)
        if known.size == 0:
            return np.empty((0, 0))
        return samples.reshape(-1, known.size)[:, np.searchsorted(known, own)]

    def annotations(self, population):
        return {"backend": self.name}

    # --- synapses -----------------------------------------------------------------------------

    def plastic_weights(self, projection):
        if projection._number in (None, -1):
            return None
        return self.engine.weights(projection._number)

    def realised(self, projection):
        return None

    def lost(self, projection):
        raise RuntimeError(_REFERENCE_ONLY)

    def realised_cells(self, population):
        raise RuntimeError(_REFERENCE_ONLY)


class Emulator:
    """The network on the emulated wafer."""

    name = "emulator"

    def __init__(self, timestep, options):
        self.timestep = timestep
        self.options = options
        self.session = _core.Session(options["session"])
        self._edges = {}
        self._told = set()
        #: Which source feeds a cell.
        self._injected = {}

    # --- checks when something is created -----------------------------------------------------

    def check_cell_type(self, population):
        known = ("IF_cond_exp", "EIF_cond_exp_isfa_ista", "SpikeSourcePoisson", "SpikeSourceArray")
        name = type(population.celltype).__name__
        if name not in known:
            raise errors.InvalidModelError(
                f"population {population.label!r}: the wafer has no circuit for {name}; it has "
                f"{', '.join(known)}. backend=\"reference\" runs {name}")

    def check_synapse_type(self, projection):
        mechanism = projection.synapse_type
        if mechanism.kind == "stdp" and mechanism.exponents != (0.0, 0.0):
            raise errors.InvalidModelError(
                f"projection {projection.label!r}: the synapses of the wafer have no "
                f"{type(mechanism.weight_dependence).__name__}; they have SpikePairRule with "
                "AdditiveWeightDependence, and backend=\"reference\" runs the others")

    def check_current_source(self, source):
        if source.kind != "steps":
            raise errors.InvalidModelError(
                f"the wafer injects no {type(source).__name__}; it has currents that change in "
                "steps (StepCurrentSource, DCSource with an end), a constant current is the cells' "
                "i_offset, and backend=\"reference\" has all current sources")

    # --- before a run -------------------------------------------------------------------------

    def flush(self, state):
        for population in state.populations:
            self._flush_population(population)
        for projection in state.projections:
            self._flush_projection(projection)
        for source in state.current_sources:
            if source._number is None:
                source._number = 0
                self.inject(source, source._cells)

    def _flush_population(self, population):
        new = population._number is None
        model = type(population.celltype).__name__
        columns = population._columns
        changed = set(population._changed)
        if new:
            changed = set(columns)
        if model == "SpikeSourceArray":
            if new:
                population._number = self.session.add_spike_arrays(
                    population.label, list(columns["spike_times"]))
            elif changed:
                self.session.set_spike_times(population._number, list(columns["spike_times"]))
        elif model == "SpikeSourcePoisson":
            own = [population.column(name) for name in ("rate", "start", "duration")]
            if new:
                population._number = self.session.add_poisson(
                    population.label, population.size, *own)
            elif changed:
                self.session.set_poisson(population._number, *own)
        else:
            own = {name: population.column(name) for name in changed}
            if new:
                population._number = self.session.add_neurons(
                    population.label, model, population.size, own)
            elif changed:
                self.session.set_neurons(population._number, own)
        population._changed.clear()
        if new:
            for variable in population.recorder.variables:
                self.record(population, variable, None)

    def _flush_projection(self, projection):
        weights = projection._columns["weight"]
        if projection._number is None:
            projection._number = 0
            self._edges[projection] = self._split(projection)
        elif laws := sorted(projection._changed - {"weight", "delay"}):
            raise errors.InvalidParameterValueError(
                f"projection {projection.label!r}: {laws[0]} of its plasticity is set before the "
                "first run on the wafer; create the network anew")
        elif "weight" in projection._changed:
            for number, rows in self._edges[projection]:
                self.session.set_weights(number, weights[rows])
        projection._changed.clear()

    def _split(self, projection):
        """One projection of the session for each pair of populations."""
        state = projection._simulator.state
        first = np.array([p.offset for p in state.populations])
        pre, post = projection.members()
        source = np.searchsorted(first, pre, side="right") - 1
        target = np.searchsorted(first, post, side="right") - 1
        pair = source * len(first) + target
        weights = projection._columns["weight"]
        edges = []
        for one in np.unique(pair):
            rows = np.flatnonzero(pair == one)
            ends = state.populations[one // len(first)], state.populations[one % len(first)]
            number = self.session.add_projection(
                projection.label, ends[0]._number, ends[1]._number, projection.receptor,
                (pre[rows] - ends[0].offset).astype(np.uint32),
                (post[rows] - ends[1].offset).astype(np.uint32),
                weights[rows], *self._plasticity(projection))
            edges.append((number, rows))
        return edges

    @staticmethod
    def _plasticity(projection):
        """What a projection asks of drivers, and what it asks of controllers."""
        kind, laws = projection.laws()
        if kind == "stdp":
            # what comes after has no counterpart: exponents of 0, and delays are those of routes
            laws = laws[:6]
        values = []
        for name, law in zip(LAWS[kind], laws):
            if len(law) > 1:
                raise errors.InvalidParameterValueError(
                    f"projection {projection.label!r}: {name} varies from synapse to synapse; on "
                    "the wafer many synapses share it. Give one value, or several projections")
            values.append(float(law[0]) if len(law) else 0.0)
        if not values or len(projection) == 0:
            return None, None
        return (values, None) if kind == "tsodyks_markram" else (None, values)

    # --- currents -----------------------------------------------------------------------------

    def set_current(self, source):
        times, amplitudes = source.waveform()[1]
        for number, member in source._places:
            self.session.set_current(number, member, times, amplitudes)

    def inject(self, source, cells):
        state = simulator.state
        for cell in cells:
            if self._injected.setdefault(cell, source) is not source:
                raise errors.InvalidModelError(
                    f"cell {cell + 1} has a current source already; a neuron of the wafer takes one")
            population = next(p for p in state.populations
                              if p.offset <= cell < p.offset + p.size)
            source._places.append((population._number, cell - population.offset))
        self.set_current(source)

    def record_current(self, source):
        raise errors.InvalidModelError(
            "the wafer does not record currents; backend=\"reference\" does")

    recorded_current = record_current

    # --- running ------------------------------------------------------------------------------

    @property
    def now(self):
        return self.session.now

    def run(self, until, progress):
        # `bss1 map SCRIPT` wants the network, and no run
        if path := os.environ.get("BSS1_NETWORK_OUT"):
            self.session.save_network(path)
            raise SystemExit(0)
        self.map(progress)
        self.session.run(max(until - self.session.now, 0.0), progress)

    def map(self, progress):
        """Maps the network, unless that is done."""
        if self.session.is_mapped:
            return
        self.session.map(progress)
        if simulator.logger.isEnabledFor(logging.INFO):
            report = self.session.mapping_report()
            simulator.logger.info(
                "mapped %d neurons, and %d of %d synapses, onto %d chips in %.2f s", report["neurons"],
                report["synapses_realised"], report["synapses_requested"], report["hicanns_used"],
                report["wall_s"]["total"])

    def reset(self):
        self.session.reset()

    def take_warnings(self):
        return self.session.take_warnings() + self._delays_elsewhere()

    def _delays_elsewhere(self):
        """A message for each projection whose delays are far from those of the routes, once."""
        if not self.session.is_mapped or self.options["session"]["on_clip"] == "ignore":
            return []
        messages = []
        low, high = self.session.route_delays() or (np.nan, np.nan)
        for projection in self._edges:
            if len(projection) == 0 or projection in self._told:
                continue
            self._told.add(projection)
            shortest, longest = projection.extreme_delays()
            if shortest < low - FAR_MS or longest > high + FAR_MS:
                wanted = f"{shortest:g}" if shortest == longest else f"{shortest:g} to {longest:g}"
                messages.append(
                    f"projection `{projection.label}`: delay = {wanted} ms; delays on the wafer are "
                    f"those of its routes, {low:.2f} to {high:.2f} ms")
        return messages

    # --- recording ----------------------------------------------------------------------------

    def record(self, population, variable, ids):
        if variable not in ("spikes", "v"):
            raise ReadoutError(
                f"cannot record {variable} of `{population.label}`: the wafer shows spikes and v of "
                f'a {type(population.celltype).__name__}; backend="reference" records all variables')
        if population._number is None:
            return
        own = population.recorder._wishes(variable)
        if variable == "spikes":
            self.session.record_spikes(population._number, own)
        else:
            self.session.record_v(population._number, own, population.recorder.sampling_interval)

    def record_nothing(self, population):
        if population._number is not None:
            self.session.record_spikes(population._number, np.empty(0, np.uint32))
            if population.celltype.injectable:
                self.session.record_v(population._number, np.empty(0, np.uint32), self.timestep)

    def clear_data(self, population):
        if population._number is not None:
            self.session.clear_recording(population._number)

    def spikes(self, population):
        if population._number is None:
            return np.empty(0, np.uint32), np.empty(0)
        return self.session.spikes(population._number)

    def signal(self, population, variable, own):
        if population._number is None:
            return np.empty((0, 0))
        traces = [self.session.trace(population._number, int(member)) for member in own]
        rows = max((len(trace) for trace in traces), default=0)
        # members that were asked for later have fewer samples
        padded = [np.r_[np.full(rows - len(trace), np.nan), trace] for trace in traces]
        return np.array(padded).T if padded else np.empty((0, 0))

    def annotations(self, population):
        notes = {"backend": self.name, "wafer": self.options["session"]["wafer"]}
        if population.celltype.injectable:
            notes["readout"] = self.options["session"]["readout"]
        return notes

    # --- synapses -----------------------------------------------------------------------------

    def plastic_weights(self, projection):
        return None

    def _mapped(self, projection):
        return (projection._number is not None and self.session.is_mapped
                and not projection._changed)

    def realised(self, projection):
        """Rows of the projection that are on the wafer, with weights and delays; None before."""
        if not self._mapped(projection):
            return None
        rows, weights, delays = [], [], []
        for number, own in self._edges[projection]:
            request, _, _, weight, delay = self.session.realised_synapses(number)
            rows.append(own[request])
            weights.append(weight)
            delays.append(delay)
        if not rows:
            empty = np.empty(0)
            return {"rows": np.empty(0, int), "weight": empty, "delay": empty}
        rows, weights, delays = (np.concatenate(c) for c in (rows, weights, delays))
        order = np.argsort(rows, kind="stable")
        return {"rows": rows[order], "weight": weights[order], "delay": delays[order]}

    def lost(self, projection):
        if projection._number is None:
            raise RuntimeError("nothing is mapped yet; call map_only() or run() first")
        lost = []
        for number, own in self._edges[projection]:
            for request, _, _, cause in self.session.lost(number):
                row = int(own[request])
                lost.append((int(projection._pre[row]), int(projection._post[row]), cause))
        return sorted(lost)

    def realised_cells(self, population):
        if population._number is None:
            raise RuntimeError("nothing is mapped yet; call map_only() or run() first")
        return self.session.realised_cells(population._number)
