"""PyNN's connectors; those that are slow or defective there are mended here."""

import numpy as np
from pyNN import connectors as base
from pyNN import errors
from pyNN.connectors import CSAConnector, SmallWorldConnector  # noqa: F401
from pyNN.random import NumpyRNG

from . import _core


class _Mended:
    """Masks of populations of one cell have no dimension, and no `nonzero()` in present numpy."""

    def _standard_connect(self, projection, connection_map_generator, distance_map=None):
        def generator(*arguments):
            for mask in connection_map_generator(*arguments):
                yield mask if mask is True else np.atleast_1d(mask)
        super()._standard_connect(projection, generator, distance_map)


class AllToAllConnector(_Mended, base.AllToAllConnector):
    __doc__ = base.AllToAllConnector.__doc__


class ArrayConnector(_Mended, base.ArrayConnector):
    __doc__ = base.ArrayConnector.__doc__


class CloneConnector(_Mended, base.CloneConnector):
    __doc__ = base.CloneConnector.__doc__


class DisplacementDependentProbabilityConnector(_Mended, base.DisplacementDependentProbabilityConnector):
    __doc__ = base.DisplacementDependentProbabilityConnector.__doc__


class DistanceDependentProbabilityConnector(_Mended, base.DistanceDependentProbabilityConnector):
    __doc__ = base.DistanceDependentProbabilityConnector.__doc__


def _check_number(connector, n):
    if isinstance(n, (int, float, np.number)) and (not n >= 0 or n != np.floor(n)):
        raise ValueError(f"{connector}: n = {n}; it is a whole number, not negative")


class FixedNumberPostConnector(_Mended, base.FixedNumberPostConnector):
    __doc__ = base.FixedNumberPostConnector.__doc__

    def __init__(self, n, *arguments, **keywords):
        _check_number(type(self).__name__, n)
        super().__init__(n, *arguments, **keywords)


class FixedNumberPreConnector(_Mended, base.FixedNumberPreConnector):
    __doc__ = base.FixedNumberPreConnector.__doc__

    def __init__(self, n, *arguments, **keywords):
        _check_number(type(self).__name__, n)
        super().__init__(n, *arguments, **keywords)


class FixedProbabilityConnector(_Mended, base.FixedProbabilityConnector):
    __doc__ = base.FixedProbabilityConnector.__doc__

    def __init__(self, p_connect, *arguments, **keywords):
        if not 0 <= p_connect <= 1:
            raise ValueError(f"FixedProbabilityConnector: p_connect = {p_connect}; a probability "
                             "lies between 0 and 1")
        super().__init__(p_connect, *arguments, **keywords)


class IndexBasedProbabilityConnector(_Mended, base.IndexBasedProbabilityConnector):
    __doc__ = base.IndexBasedProbabilityConnector.__doc__


class OneToOneConnector(_Mended, base.OneToOneConnector):
    __doc__ = base.OneToOneConnector.__doc__


def _values(projection, pre, post):
    """The parameters of the synapse type for some synapses, as numbers or arrays."""
    space = projection.synapse_type.native_parameters
    space.shape = projection.shape
    space = projection._handle_distance_expressions(space)
    values = {}
    for name, lazy in space.items():
        if lazy.is_homogeneous:
            values[name] = float(lazy.evaluate(simplify=True))
        elif isinstance(lazy.base_value, np.ndarray) and not lazy.operations:
            values[name] = np.asarray(lazy.base_value, float)[pre, post]
        elif hasattr(lazy.base_value, "next") and not lazy.operations:
            values[name] = np.asarray(lazy.base_value.next(len(pre)), float).reshape(len(pre))
        else:
            values[name] = np.asarray(lazy.evaluate(simplify=False), float)[pre, post]
    return values


class FromListConnector(base.FromListConnector):
    __doc__ = base.FromListConnector.__doc__

    def connect(self, projection):
        known = projection.synapse_type.get_parameter_names()
        for name in self.column_names:
            if name not in known:
                raise ValueError(
                    f"{name} is not a valid parameter for {type(projection.synapse_type).__name__}; "
                    f"it has {', '.join(known)}")
        if self.conn_list.size == 0:
            return
        indices = np.asarray(self.conn_list[:, :2], float)
        if not np.isfinite(indices).all() or (indices != np.rint(indices)).any():
            raise errors.ConnectionError(
                f"projection {projection.label!r}: indices of a connection list are whole numbers")
        pre, post = indices[:, 0].astype(np.int64), indices[:, 1].astype(np.int64)
        for index, size, side in ((pre, projection.pre.size, "pre"),
                                  (post, projection.post.size, "post")):
            wrong = (index < 0) | (index >= size)
            if wrong.any():
                raise errors.ConnectionError(
                    f"projection {projection.label!r}: {side}synaptic index {index[wrong][0]} is "
                    f"out of range; there are {size} {side}synaptic cells")
        given = {name: np.asarray(self.conn_list[:, column], float)
                 for column, name in enumerate(self.column_names, 2)}
        values = {} if len(given) == len(known) else _values(projection, pre, post)
        values.update(given)
        projection.add_synapses(pre, post, values)
        if self.callback:
            self.callback(1.0)


class FromFileConnector(FromListConnector, base.FromFileConnector):
    __doc__ = base.FromFileConnector.__doc__

    __init__ = base.FromFileConnector.__init__

    def connect(self, projection):
        self._read(projection)
        FromListConnector.connect(self, projection)

    def _read(self, projection):
        if self.distributed:
            self.file.rename(f"{self.file}.{projection._simulator.state.mpi_rank}")
        self.column_names = self.file.get_metadata().get("columns", ("weight", "delay"))
        self.column_names = tuple(n for n in self.column_names if n not in ("i", "j"))
        self.conn_list = np.atleast_2d(np.asarray(self.file.read(), float))


class FixedTotalNumberConnector(_Mended, base.FixedTotalNumberConnector):
    """Connects n pairs of cells, drawn at random with replacement: a pair may be drawn more than once.

    n: a whole number, or a RandomDistribution of them. rng: where the numbers come from; seeded by the
    clock if there is none. Other arguments are those of PyNN."""

    def connect(self, projection):
        """Draws the pairs and adds their synapses."""
        n, rng = self.n, self.rng
        if not isinstance(n, (int, np.integer)) or not isinstance(rng, NumpyRNG):
            super().connect(projection)
            return
        pre, post = _random_pairs(rng, projection.pre.size, projection.post.size, n)
        # PyNN goes target by target
        order = np.argsort(post, kind="stable")
        pre, post = pre[order].astype(np.int64), post[order].astype(np.int64)
        projection.add_synapses(pre, post, _values(projection, pre, post))
        if self.callback:
            self.callback(1.0)


def _random_pairs(rng, n_pre, n_post, n):
    """The pairs that PyNN draws one number at a time, with the same generator in the same state."""
    generator = rng.rng
    # PyNN shares the synapses out among processes first, which takes a number
    generator.binomial(n, 1.0)
    state = generator.get_state()
    count = 3 * n + 64
    while True:
        words = generator.randint(0, 2**32, size=count, dtype=np.uint32)
        drawn = _core.random_pairs(words, n_pre, n_post, n)
        generator.set_state(state)
        if drawn is not None:
            pre, post, used = drawn
            generator.randint(0, 2**32, size=used, dtype=np.uint32)
            return pre, post
        count *= 2


