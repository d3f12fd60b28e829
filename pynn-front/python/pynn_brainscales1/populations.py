"""Populations, views and assemblies: parameters live here as numpy columns, engines get them before
a run."""

import numpy as np
from pyNN import common, errors
from pyNN.parameters import LazyArray, ParameterSpace, Sequence, simplify

from . import _html, checks, simulator
from .recording import Recorder


def members(cells):
    """Positions of the cells of a population, view or assembly, counted over all populations."""
    if isinstance(cells, common.Assembly):
        parts = [members(part) for part in cells.populations]
        return np.concatenate(parts) if parts else np.empty(0, np.uint32)
    if isinstance(cells, common.PopulationView):
        own = cells.index_in_grandparent(np.arange(cells.size))
        return (cells.grandparent.offset + np.asarray(own)).astype(np.uint32)
    return np.arange(cells.offset, cells.offset + cells.size, dtype=np.uint32)


class Assembly(common.Assembly):
    __doc__ = common.Assembly.__doc__
    _simulator = simulator


class PopulationView(common.PopulationView):
    __doc__ = common.PopulationView.__doc__
    _simulator = simulator
    _assembly_class = Assembly

    def _own(self):
        return np.asarray(self.index_in_grandparent(np.arange(self.size)))

    def _get_parameters(self, *names):
        return self.grandparent._some_parameters(names, self._own(), self.size)

    def _get_native_parameters(self, *names):
        return self._get_parameters(*names)

    def _set_parameters(self, parameter_space):
        parameter_space.evaluate(simplify=False)
        self.grandparent._take(parameter_space.as_dict(), self._own())

    def _set_initial_value_array(self, variable, initial_values):
        self.grandparent._start_at(variable, initial_values, self._own())

    def initialize(self, **initial_values):
        """Sets initial values of state variables of the cells of this view."""
        for variable, value in initial_values.items():
            value = LazyArray(value, shape=(self.size,), dtype=float)
            self._set_initial_value_array(variable, value)

    @property
    def initial_values(self):
        """Initial values of the cells of this view."""
        own = self._own()
        return {name: column[own] for name, column in self.grandparent._initial.items()}

    def _get_view(self, selector, label=None):
        return PopulationView(self, selector, label)

    def realised(self):
        """What the wafer's cells give: {parameter: array(size)}, biological units, nominal."""
        own = self._own()
        return {name: column[own] for name, column in self.grandparent.realised().items()}


class Population(common.Population):
    __doc__ = common.Population.__doc__
    _simulator = simulator
    _recorder_class = Recorder
    _assembly_class = Assembly

    def __init__(self, size, cellclass, cellparams=None, structure=None,
                 initial_values={}, label=None):
        state = simulator.state
        state.require_engine(idle=True)
        if isinstance(size, (int, np.integer)) and size < 1:
            raise ValueError(f"population {label or ''!r} of {size} cells; populations have at least one")
        if cellparams is None and isinstance(cellclass, type):
            cellparams = {}
        before = len(state.populations), state.id_counter
        try:
            super().__init__(size, cellclass, cellparams, structure, initial_values, label)
        except Exception:
            # as if it had never been asked for
            del state.populations[before[0]:]
            state.id_counter = before[1]
            state.recorders.discard(getattr(self, "recorder", None))
            raise

    def _create_cells(self):
        state = simulator.state
        self._engine = state.require_engine(idle=True)
        self._engine.check_cell_type(self)
        self.offset = state.id_counter - 1
        space = self.celltype.native_parameters
        checks.lengths(f"population {self.label!r}", space, self.size)
        space.shape = (self.size,)
        space.evaluate(simplify=False)
        self._columns = {}
        self._initial = {}
        self._number = None
        self._changed = set()
        self._uninitialized = set()
        self._take(space.as_dict(), slice(None))
        checks.reset_below_threshold(f"population {self.label!r}", self._columns)
        ids = range(state.id_counter, state.id_counter + self.size)
        self.all_cells = np.array([simulator.ID(i) for i in ids], dtype=simulator.ID)
        self._mask_local = np.ones(self.size, bool)
        for cell in self.all_cells:
            cell.parent = self
        state.id_counter += self.size
        state.populations.append(self)

    @property
    def engine(self):
        """The engine, unless a later `setup()` has replaced it."""
        if self._engine is not simulator.state.engine:
            raise RuntimeError(
                f"population {self.label!r} belongs to an earlier setup(); create it again")
        return self._engine

    def _take(self, columns, where):
        """Checks new parameters and keeps them for the engine."""
        owner = f"population {self.label!r}"
        new = {}
        for name, column in columns.items():
            if name == "spike_times":
                column = np.array([None] + [np.asarray(getattr(s, "value", s), float).ravel()
                                            for s in column], dtype=object)[1:]
                checks.spike_times(owner, column)
                fresh = np.empty(self.size, object)
            else:
                column = np.asarray(column, float)
                checks.values(owner, name, column)
                fresh = np.zeros(self.size)
            fresh[:] = self._columns.get(name, fresh)
            fresh[where] = column
            new[name] = fresh
        self._columns.update(new)
        self._changed.update(new)

    def column(self, name):
        """A parameter as an array that Rust takes: one value if all are alike."""
        values = self._columns[name]
        return values[:1] if (values == values[0]).all() else values

    def _some_parameters(self, names, own, size):
        known = self.celltype.get_parameter_names()
        space = {}
        for name in names or known:
            if name not in self._columns:
                raise errors.NonExistentParameterError(name, type(self.celltype).__name__, known)
            values = self._columns[name][own]
            if name == "spike_times":
                values = np.array([None] + [Sequence(v) for v in values], dtype=object)[1:]
                if all(len(v) == len(values[0]) and (v.value == values[0].value).all()
                       for v in values):
                    values = values[0]
                space[name] = values
            else:
                space[name] = simplify(values)
        return ParameterSpace(space, self.celltype.get_schema(), shape=(size,))

    def get(self, parameter_names, gather=False, simplify=True):
        names = [parameter_names] if isinstance(parameter_names, str) else parameter_names
        known = self.celltype.get_parameter_names()
        for name in names:
            if name not in known:
                raise errors.NonExistentParameterError(name, type(self.celltype).__name__, known)
        return super().get(parameter_names, gather, simplify)

    def _get_parameters(self, *names):
        return self._some_parameters(names, slice(None), self.size)

    def _get_native_parameters(self, *names):
        return self._get_parameters(*names)

    def _set_parameters(self, parameter_space):
        parameter_space.evaluate(simplify=False)
        self._take(parameter_space.as_dict(), slice(None))

    def _start_at(self, variable, values, where):
        if variable not in self.celltype.default_initial_values:
            raise errors.InvalidParameterValueError(
                f"population {self.label!r}: {type(self.celltype).__name__} has no state variable "
                f"{variable}; it has {', '.join(self.celltype.default_initial_values)}")
        column = np.array(self._initial.get(variable, np.zeros(self.size)), float)
        column[where] = values.evaluate(simplify=False)
        checks.values(f"population {self.label!r}", variable, column)
        self._initial[variable] = column
        self._uninitialized.add(variable)

    def _set_initial_value_array(self, variable, initial_values):
        self._start_at(variable, initial_values, slice(None))

    def _get_view(self, selector, label=None):
        return PopulationView(self, selector, label)

    def _repr_html_(self):
        rows = []
        for name, values in self._columns.items():
            if name == "spike_times":
                text = f"{sum(len(v) for v in values)} spikes"
            elif (values == values[0]).all():
                text = f"{values[0]:g} {self.celltype.units.get(name, '')}"
            else:
                text = (f"{values.min():g} to {values.max():g} {self.celltype.units.get(name, '')}, "
                        f"mean {values.mean():g}")
            rows.append((name, text))
        title = f"{self.label}: {self.size} {type(self.celltype).__name__}"
        return _html.table(title, ("parameter", "value"), rows)

    def realised(self):
        """What the wafer's cells give: {parameter: array(size)}, biological units, nominal.

        Raises RuntimeError before the first mapping and on the reference engine."""
        return self.engine.realised_cells(self)
