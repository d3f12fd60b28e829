"""PyNN's standard models that this back end has; all names are PyNN's own in Rust too."""

import numpy as np
from pyNN import errors
from pyNN.models import BaseCurrentSource
from pyNN.parameters import ParameterSpace, Sequence
from pyNN.standardmodels import build_translations, cells, electrodes, synapses

from . import simulator

#: Parameters that plasticity has besides weight and delay, in the order that Rust takes them.
LAWS = {
    "static": (),
    "tsodyks_markram": ("U", "tau_rec", "tau_facil"),
    "stdp": ("tau_plus", "tau_minus", "A_plus", "A_minus", "w_min", "w_max", "mu_plus", "mu_minus",
             "dendritic_delay_fraction"),
}


def _same(parameters):
    return build_translations(*((name, name) for name in parameters))


class IF_cond_exp(cells.IF_cond_exp):
    __doc__ = cells.IF_cond_exp.__doc__
    translations = _same(cells.IF_cond_exp.default_parameters)


class IF_cond_exp_gsfa_grr(cells.IF_cond_exp_gsfa_grr):
    __doc__ = cells.IF_cond_exp_gsfa_grr.__doc__
    translations = _same(cells.IF_cond_exp_gsfa_grr.default_parameters)


class EIF_cond_exp_isfa_ista(cells.EIF_cond_exp_isfa_ista):
    __doc__ = cells.EIF_cond_exp_isfa_ista.__doc__
    translations = _same(cells.EIF_cond_exp_isfa_ista.default_parameters)


class SpikeSourcePoisson(cells.SpikeSourcePoisson):
    __doc__ = cells.SpikeSourcePoisson.__doc__
    translations = _same(cells.SpikeSourcePoisson.default_parameters)


class SpikeSourceArray(cells.SpikeSourceArray):
    __doc__ = cells.SpikeSourceArray.__doc__
    translations = _same(cells.SpikeSourceArray.default_parameters)


def _minimum_delay():
    wanted = simulator.state.requested_min_delay
    return simulator.state.dt if wanted == "auto" else wanted


class StaticSynapse(synapses.StaticSynapse):
    __doc__ = synapses.StaticSynapse.__doc__
    translations = _same(synapses.StaticSynapse.default_parameters)
    kind = "static"

    def _get_minimum_delay(self):
        return _minimum_delay()


class TsodyksMarkramSynapse(synapses.TsodyksMarkramSynapse):
    __doc__ = synapses.TsodyksMarkramSynapse.__doc__
    translations = _same(synapses.TsodyksMarkramSynapse.default_parameters)
    kind = "tsodyks_markram"

    def _get_minimum_delay(self):
        return _minimum_delay()


class STDPMechanism(synapses.STDPMechanism):
    __doc__ = synapses.STDPMechanism.__doc__
    base_translations = _same(("weight", "delay", "dendritic_delay_fraction"))
    kind = "stdp"

    def _build_translations(self):
        # a dict of its own: the base class would change that of all mechanisms
        self.translations = dict(self.base_translations)
        for part in (self.timing_dependence, self.weight_dependence):
            if part is not None:
                self.translations.update(part.translations)

    def _get_minimum_delay(self):
        return _minimum_delay()

    @property
    def exponents(self):
        """Powers with which a weight's distance from its bounds counts: potentiation, depression."""
        return self.weight_dependence.exponents


class _PairModel:
    possible_models = {"pairs"}


class SpikePairRule(_PairModel, synapses.SpikePairRule):
    __doc__ = synapses.SpikePairRule.__doc__
    translations = _same(synapses.SpikePairRule.default_parameters)


class AdditiveWeightDependence(_PairModel, synapses.AdditiveWeightDependence):
    __doc__ = synapses.AdditiveWeightDependence.__doc__
    translations = _same(synapses.AdditiveWeightDependence.default_parameters)
    exponents = (0.0, 0.0)


class MultiplicativeWeightDependence(_PairModel, synapses.MultiplicativeWeightDependence):
    __doc__ = synapses.MultiplicativeWeightDependence.__doc__
    translations = _same(synapses.MultiplicativeWeightDependence.default_parameters)
    exponents = (1.0, 1.0)


class AdditivePotentiationMultiplicativeDepression(
        _PairModel, synapses.AdditivePotentiationMultiplicativeDepression):
    __doc__ = synapses.AdditivePotentiationMultiplicativeDepression.__doc__
    translations = _same(
        synapses.AdditivePotentiationMultiplicativeDepression.default_parameters)
    exponents = (0.0, 1.0)


class GutigWeightDependence(_PairModel, synapses.GutigWeightDependence):
    __doc__ = synapses.GutigWeightDependence.__doc__
    translations = _same(synapses.GutigWeightDependence.default_parameters)
    exponents = None


class _CurrentSource(BaseCurrentSource):
    """A current source that an engine knows by number."""

    #: What Rust calls it, and which parameters it takes, in order.
    kind = None
    columns = ()

    def __init__(self, **parameters):
        self._number = None
        self._cells = []
        self._places = []
        self._recorded = False
        self.parameter_space = ParameterSpace(
            self.default_parameters, self.get_schema(), shape=(1,))
        if parameters:
            self.parameter_space.update(**parameters)
        self._native = self.native_parameters
        self._native.evaluate(simplify=True)
        simulator.state.require_engine(idle=True).check_current_source(self)
        self._check()
        simulator.state.current_sources.append(self)

    def _check(self):
        for values in self.waveform()[1]:
            if np.isnan(values).any():
                raise errors.InvalidParameterValueError(
                    f"{type(self).__name__}: a parameter is not a number")

    def waveform(self):
        """Kind and columns as Rust wants them."""
        values = self._native.as_dict()
        return self.kind, [np.atleast_1d(np.asarray(_plain(values[name]), float))
                           for name in self.columns]

    def set_native_parameters(self, parameters):
        parameters.evaluate(simplify=True)
        values = {**self._native.as_dict(), **parameters.as_dict()}
        self._native = ParameterSpace(values, shape=(1,))
        self._native.evaluate(simplify=True)
        self._check()
        if self._number is not None:
            simulator.state.engine.set_current(self)

    def get_native_parameters(self):
        return self._native

    def inject_into(self, cells):
        """Injects the current into a population, view, assembly or list of cells."""
        for cell in cells:
            if not cell.celltype.injectable:
                raise TypeError("Can't inject current into a spike source.")
        cells = [int(cell) - 1 for cell in cells]
        self._cells.extend(cells)
        if self._number is not None:
            simulator.state.engine.inject(self, cells)

    def record(self):
        """Records the amplitude at each time step."""
        self._recorded = True
        if self._number is not None:
            simulator.state.engine.record_current(self)

    def _get_data(self):
        amplitudes = simulator.state.engine.recorded_current(self)
        times = np.arange(len(amplitudes)) * simulator.state.dt
        return times, amplitudes


def _plain(value):
    return value.value if isinstance(value, Sequence) else value


class DCSource(_CurrentSource, electrodes.DCSource):
    __doc__ = electrodes.DCSource.__doc__
    translations = _same(electrodes.DCSource.default_parameters)
    kind = "steps"

    def waveform(self):
        values = self._native.as_dict()
        times = np.array([values["start"], values["stop"]], float)
        return self.kind, [times, np.array([values["amplitude"], 0.0])]


class StepCurrentSource(_CurrentSource, electrodes.StepCurrentSource):
    __doc__ = electrodes.StepCurrentSource.__doc__
    translations = _same(electrodes.StepCurrentSource.default_parameters)
    kind = "steps"
    columns = ("times", "amplitudes")

    def _check(self):
        super()._check()
        times, amplitudes = self.waveform()[1]
        if len(times) != len(amplitudes):
            raise errors.InvalidDimensionsError(
                f"StepCurrentSource: {len(times)} times and {len(amplitudes)} amplitudes; give as "
                "many of one as of the other")
        if (times < 0).any() or (np.diff(times) < 0).any():
            raise errors.InvalidParameterValueError(
                "StepCurrentSource: times are not negative and ascend")


class ACSource(_CurrentSource, electrodes.ACSource):
    __doc__ = electrodes.ACSource.__doc__
    translations = _same(electrodes.ACSource.default_parameters)
    kind = "sine"
    columns = ("amplitude", "offset", "frequency", "phase", "start", "stop")


class NoisyCurrentSource(_CurrentSource, electrodes.NoisyCurrentSource):
    __doc__ = electrodes.NoisyCurrentSource.__doc__
    translations = _same(electrodes.NoisyCurrentSource.default_parameters)
    kind = "noise"
    columns = ("mean", "stdev", "dt", "start", "stop")
