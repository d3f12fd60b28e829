"""PyNN back end for the BrainScaleS-1 wafer and its emulator.

    import pynn_brainscales1 as sim
    sim.setup(timestep=0.1, wafer="ideal")

All of PyNN 0.13's API is here; what is additional is described by `help(sim.setup)`, `sim.map_only`,
`sim.mapping_report`, `sim.run_report`, `sim.save_mapping`, `sim.load_mapping` and
`sim.wafer_picture`."""

from pyNN import common, errors, random, space
from pyNN.network import Network
from pyNN.random import GSLRNG, NumpyRNG, RandomDistribution
from pyNN.space import Space
from pyNN.standardmodels import StandardCellType

from . import simulator
from ._core import __version__
from .connectors import (
    AllToAllConnector, ArrayConnector, CloneConnector, CSAConnector,
    DisplacementDependentProbabilityConnector, DistanceDependentProbabilityConnector,
    FixedNumberPostConnector, FixedNumberPreConnector, FixedProbabilityConnector,
    FixedTotalNumberConnector, FromFileConnector, FromListConnector,
    IndexBasedProbabilityConnector, OneToOneConnector, SmallWorldConnector,
)
from .control import (
    end, get_current_time, get_max_delay, get_min_delay, get_time_step, initialize, load_mapping,
    map_only, mapping_report, num_processes, rank, reset, run, run_for, run_report, run_until,
    save_mapping, setup, wafer_picture,
)
from .populations import Assembly, Population, PopulationView
from .projections import Projection
from .simulator import ID
from .standardmodels import (
    ACSource, AdditivePotentiationMultiplicativeDepression, AdditiveWeightDependence, DCSource,
    EIF_cond_exp_isfa_ista, GutigWeightDependence, IF_cond_exp, IF_cond_exp_gsfa_grr,
    MultiplicativeWeightDependence, NoisyCurrentSource, SpikePairRule, SpikeSourceArray,
    SpikeSourcePoisson, STDPMechanism, StaticSynapse, StepCurrentSource, TsodyksMarkramSynapse,
)

create = common.build_create(Population)
connect = common.build_connect(Projection, FixedProbabilityConnector, StaticSynapse)
record = common.build_record(simulator)


def set(cells, **parameters):  # noqa: A001 (PyNN's name)
    """Sets parameters of a population, view or assembly."""
    cells.set(**parameters)


def record_v(source, filename):
    """Records membrane potentials to a file."""
    record(["v"], source, filename)


def record_gsyn(source, filename):
    """Records synaptic conductances to a file."""
    record(["gsyn_exc", "gsyn_inh"], source, filename)


def list_standard_models():
    """Names of the cell types."""
    return [name for name, value in globals().items()
            if isinstance(value, type) and issubclass(value, StandardCellType)
            and value is not StandardCellType]


def __getattr__(name):
    """Says why a cell type of PyNN is not here."""
    from pyNN.standardmodels import cells
    if isinstance(getattr(cells, name, None), type):
        raise AttributeError(
            f"pynn_brainscales1 has no {name}: the wafer's cells are IF_cond_exp and "
            'EIF_cond_exp_isfa_ista, backend="reference" has IF_cond_exp_gsfa_grr too; synapses are '
            "conductances (weights in uS) that decay exponentially")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [name for name in globals() if not name.startswith("_")]
