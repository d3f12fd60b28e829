"""Projections: synapses as numpy columns, sorted by presynaptic cell, postsynaptic cell and
creation."""

import warnings

import numpy as np
from pyNN import common, errors
from pyNN.parameters import LazyArray, ParameterSpace
from pyNN.random import RandomDistribution
from pyNN.space import Space

from . import _html, checks, simulator
from .populations import members
from .standardmodels import LAWS, StaticSynapse

_UNITS = {"weight": "uS", "delay": "ms"}


class Connection(common.Connection):
    """One synapse of a projection; its attributes can be read and written."""

    def __init__(self, projection, index):
        object.__setattr__(self, "projection", projection)
        object.__setattr__(self, "index", index)

    @property
    def presynaptic_index(self):
        return int(self.projection._pre[self.index])

    @property
    def postsynaptic_index(self):
        return int(self.projection._post[self.index])

    def __getattr__(self, name):
        if name.startswith("_") or name not in self.projection._columns:
            raise AttributeError(f"a synapse of {self.projection.label!r} has no attribute {name}")
        return float(self.projection._now(name)[self.index])

    def __setattr__(self, name, value):
        if name not in self.projection._columns:
            raise AttributeError(f"a synapse of {self.projection.label!r} has no attribute {name}")
        column = self.projection._now(name).copy()
        column[self.index] = value
        self.projection._take({name: column})

    def as_tuple(self, *names):
        """Attributes by name."""
        return tuple(getattr(self, name) for name in names)


class Projection(common.Projection):
    __doc__ = common.Projection.__doc__
    _simulator = simulator
    _static_synapse_class = StaticSynapse

    def __init__(self, presynaptic_neurons, postsynaptic_neurons, connector,
                 synapse_type=None, source=None, receptor_type=None,
                 space=Space(), label=None):
        state = simulator.state
        self._engine = state.require_engine()
        for cells in (presynaptic_neurons, postsynaptic_neurons):
            for part in getattr(cells, "populations", [cells]):
                if isinstance(part, common.BasePopulation):
                    # raises if it belongs to an earlier setup
                    _ = getattr(part, "grandparent", part).engine
        if isinstance(postsynaptic_neurons, (common.BasePopulation, common.Assembly)):
            if not postsynaptic_neurons.receptor_types:
                raise errors.ConnectionError(
                    f"{postsynaptic_neurons.label!r} consists of spike sources, or partly so; "
                    "sources have no synapses onto them")
        super().__init__(presynaptic_neurons, postsynaptic_neurons, connector, synapse_type,
                         source, receptor_type, space, label)
        if not hasattr(self.synapse_type, "kind"):
            raise errors.InvalidModelError(
                f"projection {self.label!r}: this back end has no {type(self.synapse_type).__name__}")
        self._engine.check_synapse_type(self)
        self._names = [n for n in self.synapse_type.get_parameter_names()]
        self._parts = []
        connector.connect(self)
        self._seal()
        self._parts = []
        self._number = None
        self._changed = set()
        self._plastic_since = None
        state.projections.append(self)

    # --- building -----------------------------------------------------------------------------

    def _convergent_connect(self, presynaptic_indices, postsynaptic_index, location_selector=None,
                            **parameters):
        """One target, some sources; what connectors of PyNN call for each target."""
        pre = np.asarray(presynaptic_indices).astype(np.int64).ravel()
        post = np.broadcast_to(np.int64(postsynaptic_index), pre.shape)
        self.add_synapses(pre, post, parameters)

    def add_synapses(self, pre, post, parameters):
        """Adds synapses: arrays of indices, and parameters as numbers or arrays."""
        self._parts.append((pre, post, parameters))

    def _seal(self):
        """Joins what connectors have added, checks and sorts it."""
        owner = f"projection {self.label!r}"
        pre = np.concatenate([p for p, _, _ in self._parts]) if self._parts else np.empty(0, int)
        post = np.concatenate([p for _, p, _ in self._parts]) if self._parts else np.empty(0, int)
        for index, size, side in ((pre, self.pre.size, "pre"), (post, self.post.size, "post")):
            wrong = (index < 0) | (index >= size)
            if wrong.any():
                raise errors.ConnectionError(
                    f"{owner}: {side}synaptic index {index[wrong][0]} is out of range; "
                    f"there are {size} {side}synaptic cells")
        order = np.argsort(pre * self.post.size + post, kind="stable")
        self._pre = pre[order].astype(np.uint32)
        self._post = post[order].astype(np.uint32)
        self._columns = {}
        defaults = None
        for name in self._names:
            values = [parameters.get(name) for _, _, parameters in self._parts]
            if any(value is None for value in values) or not values:
                if defaults is None:
                    defaults = self.synapse_type.native_parameters
                    defaults.shape = (1,)
                    defaults.evaluate(simplify=True)
                    defaults = defaults.as_dict() if self._parts else {}
                values = [defaults.get(name) if value is None else value for value in values]
            if values and all(np.ndim(v) == 0 and v == values[0] for v in values):
                column = np.full(len(pre), float(np.asarray(values[0])))
            else:
                whole = [np.broadcast_to(np.asarray(v, float), p.shape)
                         for v, (p, _, _) in zip(values, self._parts)]
                column = (np.concatenate(whole) if whole else np.empty(0))[order]
            self._columns[name] = column
        self._check(self._columns)

    def _check(self, columns):
        owner = f"projection {self.label!r}"
        for name, column in columns.items():
            if name == "weight":
                checks.weights(owner, column)
            elif name == "delay":
                self._check_delays(owner, column)
            else:
                checks.values(owner, name, column)

    def _check_delays(self, owner, delays):
        dt = simulator.state.dt
        if not np.isfinite(delays).all() or (delays < 0).any():
            wrong = delays[~(np.isfinite(delays) & (delays >= 0))][0]
            raise errors.ConnectionError(
                f"{owner}: delay {wrong:g} ms; delays are finite and not negative")
        short = delays < dt * (1 - 1e-9)
        if short.any():
            warnings.warn(f"{owner}: {short.sum()} delays below the time step are rounded up to "
                          f"{dt:g} ms", errors.RoundingWarning, stacklevel=5)
            delays[short] = dt

    # --- what engines ask ---------------------------------------------------------------------

    @property
    def receptor(self):
        """0 for excitatory, 1 for inhibitory."""
        # those of an assembly are in no certain order, those of cells are the same for all types
        return ("excitatory", "inhibitory").index(self.receptor_type)

    def members(self):
        """Both ends of each synapse, counted over all populations."""
        return members(self.pre)[self._pre], members(self.post)[self._post]

    def extreme_delays(self):
        """Shortest and longest delay, ms."""
        delays = self._columns["delay"]
        return float(delays.min()), float(delays.max())

    def laws(self):
        """Columns of plasticity as Rust takes them."""
        kind = self.synapse_type.kind
        columns = dict(self._columns)
        if kind == "stdp":
            exponents = self.synapse_type.exponents
            if exponents is not None:
                columns["mu_plus"], columns["mu_minus"] = (np.array([e]) for e in exponents)
        return kind, [_short(columns[name]) for name in LAWS[kind]]

    def rewind(self):
        """Weights are what they were before plasticity."""
        self._plastic_since = None

    # --- reading ------------------------------------------------------------------------------

    def __len__(self):
        return len(self._pre)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [Connection(self, k) for k in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"projection {self.label!r} has {len(self)} synapses")
        return Connection(self, index % len(self))

    @property
    def connections(self):
        """All synapses, one by one."""
        return (Connection(self, k) for k in range(len(self)))

    def _now(self, name):
        """A column as it is now: plastic weights have changed in the run."""
        if name == "weight" and self.synapse_type.kind == "stdp" and "weight" not in self._changed:
            weights = self._engine.plastic_weights(self)
            if weights is not None:
                return weights
        return self._columns[name]

    def get(self, attribute_names, format, gather=True, with_address=True,
            multiple_synapses="sum", requested=False):
        """Values of attributes of all synapses; see PyNN.

        On the wafer, once it is mapped, weights (uS) and delays (ms) are those that were realised,
        and lost synapses are absent, unless `requested`."""
        single = isinstance(attribute_names, str)
        names = [attribute_names] if single else list(attribute_names)
        if format not in ("list", "array"):
            raise ValueError(f"format must be 'list' or 'array', not {format!r}")
        if multiple_synapses not in self.MULTI_SYNAPSE_OPERATIONS:
            raise ValueError("`multiple_synapses` argument must be one of "
                             f"{list(self.MULTI_SYNAPSE_OPERATIONS)}")
        addresses = ("presynaptic_index", "postsynaptic_index")
        for name in names:
            if name not in self._columns and name not in addresses:
                raise errors.NonExistentParameterError(
                    name, type(self.synapse_type).__name__, self._names)
        realised = None if requested else self._engine.realised(self)
        rows = slice(None) if realised is None else realised["rows"]
        pre, post = self._pre[rows], self._post[rows]

        def column(name):
            if name in addresses:
                return (pre, post)[addresses.index(name)]
            if realised is not None and name in realised:
                return realised[name]
            return self._now(name)[rows]

        columns = [column(name) for name in names]
        if format == "list":
            if with_address:
                columns = [pre, post, *columns]
            elif single:
                return columns[0].tolist()
            return list(zip(*(c.tolist() for c in columns)))
        matrices = [self._matrix(pre, post, c, multiple_synapses) for c in columns]
        return matrices[0] if single else matrices

    def _matrix(self, pre, post, column, operation):
        matrix = np.full(self.shape, np.nan)
        if len(pre) == 0:
            return matrix
        # sorted by pair: synapses of a pair stand side by side
        key = pre.astype(np.int64) * self.post.size + post
        first = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
        if operation == "sum":
            values = np.add.reduceat(column, first)
        elif operation == "min":
            values = np.minimum.reduceat(column, first)
        elif operation == "max":
            values = np.maximum.reduceat(column, first)
        elif operation == "first":
            values = column[first]
        else:
            values = column[np.r_[first[1:], len(column)] - 1]
        matrix.reshape(-1)[key[first]] = values
        return matrix

    # --- writing ------------------------------------------------------------------------------

    def set(self, **attributes):
        """Sets attributes of all synapses; see PyNN. Lists follow the order of the request."""
        columns = {}
        for name, value in attributes.items():
            if name not in self._names:
                raise errors.NonExistentParameterError(
                    name, type(self.synapse_type).__name__, self._names)
            columns[name] = self._as_column(name, value)
        self._take(columns)

    def _as_column(self, name, value):
        owner = f"projection {self.label!r}"
        n = len(self)
        if isinstance(value, RandomDistribution):
            return np.asarray(value.next(n), float).reshape(n)
        if isinstance(value, (list, tuple, np.ndarray)):
            try:
                value = np.asarray(value, float)
            except (TypeError, ValueError):
                raise errors.InvalidParameterValueError(
                    f"{owner}: {name} has to be numbers") from None
            if value.shape == self.shape and value.ndim == 2:
                return value[self._pre, self._post]
            if value.shape == (n,):
                return value.copy()
            if value.ndim == 1:
                key = self._pre.astype(np.int64) * self.post.size + self._post
                _, pair = np.unique(key, return_inverse=True)
                if n and len(value) == pair.max() + 1:
                    return value[pair]
            if value.ndim == 0:
                return np.full(n, float(value))
            raise errors.InvalidDimensionsError(
                f"{owner}: {name} has shape {value.shape}; it has {n} synapses in a matrix of "
                f"{self.shape}")
        if np.isscalar(value) and not isinstance(value, str):
            if isinstance(value, (bool, np.bool_)) or not np.isreal(value):
                raise errors.InvalidParameterValueError(f"{owner}: {name} = {value!r} is no number")
            return np.full(n, float(value))
        # functions of distance or of indices, and expressions
        space = ParameterSpace({name: value}, self.synapse_type.get_schema(), self.shape)
        space = self._handle_distance_expressions(space)
        lazy = space[name]
        if not isinstance(lazy, LazyArray):
            lazy = LazyArray(lazy, shape=self.shape)
        matrix = np.broadcast_to(np.asarray(lazy.evaluate(simplify=False), float), self.shape)
        return matrix[self._pre, self._post]

    def _take(self, columns):
        self._check(columns)
        for name, column in columns.items():
            self._columns[name] = np.asarray(column, float)
            self._changed.add(name)

    def _set_initial_value_array(self, variable, initial_values):
        raise errors.InvalidParameterValueError(
            f"projection {self.label!r}: {variable} cannot be set; synapses start with all of their "
            "resources")

    def _repr_html_(self):
        rows = [("synapses", f"{len(self)}"), ("type", type(self.synapse_type).__name__),
                ("receptor", self.receptor_type)]
        for name in ("weight", "delay"):
            column = self._columns[name]
            if column.size:
                rows.append((name, f"{column.min():g} to {column.max():g} {_UNITS[name]}"))
        realised = self._engine.realised(self)
        if realised is not None:
            lost = len(self) - len(realised["rows"])
            rows.append(("lost on the wafer", f"{lost} ({100 * lost / max(len(self), 1):.2f} %)"))
        return _html.table(self.label, ("", ""), rows)

    # --- the wafer ----------------------------------------------------------------------------

    def lost(self):
        """Synapses that the wafer has no place for: (presynaptic index, postsynaptic index, cause).

        Raises RuntimeError before the first mapping and on the reference engine."""
        return self._engine.lost(self)


def _short(column):
    column = np.asarray(column, float)
    return column[:1] if column.size and (column == column[0]).all() else column


