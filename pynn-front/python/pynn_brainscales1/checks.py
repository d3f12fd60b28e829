"""Values that no neuron, source or synapse can have, found before anything is built."""

import numpy as np
from pyNN import errors

POSITIVE = {"cm", "tau_m", "tau_syn_E", "tau_syn_I", "tau_w", "tau_sfa", "tau_rr",
            "tau_plus", "tau_minus"}
NOT_NEGATIVE = {"tau_refrac", "delta_T", "rate", "start", "duration", "q_sfa", "q_rr",
                "tau_rec", "tau_facil", "w_min"}
SHARES = {"U", "dendritic_delay_fraction"}


def values(owner, name, column):
    """Refuses NaN, infinity, and numbers outside of what `name` can be."""
    column = np.asarray(column, float)
    wrong, rule = ~np.isfinite(column), "has to be a finite number"
    if name in POSITIVE:
        wrong, rule = wrong | (column <= 0), "has to be positive"
    elif name in NOT_NEGATIVE:
        wrong, rule = wrong | (column < 0), "must not be negative"
    elif name in SHARES:
        wrong, rule = wrong | (column < 0) | (column > 1), "has to lie in [0, 1]"
    if wrong.any():
        value = column.flat[np.flatnonzero(wrong)[0]]
        raise errors.InvalidParameterValueError(f"{owner}: {name} = {value:g}; it {rule}")


def lengths(owner, space, size):
    """Refuses columns that are neither for all cells nor for each."""
    for name, value in space.items():
        given = getattr(value, "_shape", None)
        if given not in (None, (size,)):
            raise errors.InvalidDimensionsError(
                f"{owner}: {name} has {np.prod(given)} values for {size} cells; give one for all, or "
                "one for each")


def spike_times(owner, trains):
    """Refuses spike times that are not finite, negative, or not ascending."""
    for index, train in enumerate(trains):
        if train.size == 0:
            continue
        if not np.isfinite(train).all() or train.min() < 0:
            value = train[~(np.isfinite(train) & (train >= 0))][0]
            raise errors.InvalidParameterValueError(
                f"{owner}: spike_times of member {index} contain {value:g} ms; "
                "spike times are finite and not negative")
        if (np.diff(train) < 0).any():
            raise errors.InvalidParameterValueError(
                f"{owner}: spike_times of member {index} do not ascend; sort them")


def reset_below_threshold(owner, columns):
    """Refuses cells that would fire without end."""
    if "v_reset" not in columns:
        return
    peak = np.asarray(columns["v_thresh"], float)
    name = "v_thresh"
    if "v_spike" in columns:
        exponential = np.asarray(columns["delta_T"]) > 0
        peak = np.where(exponential, columns["v_spike"], peak)
        name = "v_spike" if exponential.all() else "v_thresh"
    reset = np.broadcast_to(columns["v_reset"], peak.shape)
    wrong = np.flatnonzero(reset >= peak)
    if wrong.size:
        raise errors.InvalidParameterValueError(
            f"{owner}: v_reset = {reset[wrong[0]]:g} mV is not below {name} = {peak[wrong[0]]:g} mV; "
            "such a cell would fire without end")


def weights(owner, column):
    """Refuses weights that no conductance can have."""
    wrong = ~(np.isfinite(column) & (column >= 0))
    if wrong.any():
        value = np.asarray(column)[wrong][0]
        raise errors.ConnectionError(
            f"{owner}: weight {value:g} uS; conductances are finite and not negative, "
            "for inhibitory synapses too")
