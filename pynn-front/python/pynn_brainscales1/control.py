"""`setup`, `run` and what else steers a network; the wafer's own calls."""

import difflib
import json
import os
import warnings

import numpy as np
from pyNN import common
from pyNN.recording import get_io

from . import _core, simulator
from .engines import Emulator, Reference
from .progress import display_for

DEFAULTS = {
    "backend": "emulator",
    "wafer": 30,
    "effects": "default",
    "neuron_size": "auto",
    "capacitor": "auto",
    "leak": "auto",
    "voltage_window": "auto",
    "readout": "adc",
    "speedup": 10000,
    "seed": 0,
    "threads": None,
    "calibration": None,
    "defects": "wafer",
    "effort": "normal",
    "on_loss": "warn",
    "on_clip": "warn",
    "progress": True,
}

#: Longest time of a network, ms: a hundred days.
LONGEST = 1e10

CHOICES = {
    "backend": ("emulator", "reference"),
    "capacitor": ("auto", "big", "small"),
    "leak": ("auto", "fast", "normal", "slow"),
    "readout": ("adc", "probe"),
    "effort": ("quick", "normal", "max"),
    "on_loss": ("warn", "error", "ignore"),
    "on_clip": ("warn", "error", "ignore"),
}

#: Keywords of other back ends, which scripts may leave in place.
FOREIGN = {
    "max_delay", "rng_seed", "rng_seeds", "rng_seeds_seed", "native_rng_baseseed", "grng_seed",
    "spike_precision", "verbosity", "recording_precision", "allow_offgrid_spikes", "t_flush",
    "num_processes", "debug", "logfile", "use_cvode", "rtol", "atol", "save_connections",
    "default_maxstep", "filename", "quit_on_end",
}


def _whole(key, value, low=None):
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"setup: {key} = {value!r} is no whole number")
    if low is not None and value < low:
        raise ValueError(f"setup: {key} = {value}; it is at least {low}")
    return int(value)


def _environment():
    """Keywords from the environment: a JSON object in BSS1_SETUP, for scripts left as they are."""
    text = os.environ.get("BSS1_SETUP")
    if not text:
        return {}
    try:
        given = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"BSS1_SETUP = {text!r} is no JSON: {error}") from None
    if not isinstance(given, dict):
        raise ValueError(f"BSS1_SETUP = {text!r}; it is an object like {{\"wafer\": \"ideal\"}}")
    for key in given:
        if key not in DEFAULTS:
            raise ValueError(f"BSS1_SETUP: there is no keyword {key}; there are "
                             f"{', '.join(DEFAULTS)}")
    return given


def _options(given):
    """All keywords with their values, checked."""
    options = {**DEFAULTS, **_environment()}
    for key, value in given.items():
        if key in DEFAULTS:
            options[key] = value
        elif key not in FOREIGN:
            near = difflib.get_close_matches(key, [*DEFAULTS, "timestep", "min_delay", "max_delay"],
                                             n=1, cutoff=0.0)
            warnings.warn(f"setup: there is no keyword {key}; the nearest is {near[0]}",
                          UserWarning, stacklevel=4)
    for key, choices in CHOICES.items():
        if options[key] not in choices:
            raise ValueError(f"setup: {key} = {options[key]!r}; it is one of {', '.join(choices)}")
    options["seed"] = _whole("seed", options["seed"], 0)
    if options["threads"] is not None:
        options["threads"] = _whole("threads", options["threads"], 1)
    options["session"] = _session(options)
    return options


def _session(options):
    """The keywords as Rust takes them: text, numbers, lists."""
    session = {key: options[key]
               for key in ("capacitor", "leak", "readout", "effort", "on_loss", "on_clip", "seed")}
    wafer = options["wafer"]
    if wafer != "ideal":
        wafer = _whole("wafer", wafer, 0)
    session["wafer"] = str(wafer)
    effects = options["effects"]
    if isinstance(effects, dict):
        for name, on in effects.items():
            if not isinstance(name, str) or not isinstance(on, (bool, np.bool_)):
                raise TypeError("setup: effects is a word, or a dict of names and booleans")
        session["effects"] = [(name, bool(on)) for name, on in effects.items()]
    elif effects in ("all", "none"):
        session["effects"] = [("all", effects == "all")]
    elif effects != "default":
        raise ValueError(f"setup: effects = {effects!r}; it is default, all, none, or a dict of "
                         "names and booleans")
    size = options["neuron_size"]
    session["neuron_size"] = size if size == "auto" else str(_whole("neuron_size", size))
    if not isinstance(options["voltage_window"], str):
        window = np.asarray(options["voltage_window"], float)
        if window.shape != (4,) or not np.isfinite(window).all():
            raise ValueError("setup: voltage_window is \"auto\" or (bio_min_mV, bio_max_mV, "
                             f"hw_min_V, hw_max_V), not {options['voltage_window']!r}")
        session["voltage_window"] = window.tolist()
    elif options["voltage_window"] != "auto":
        raise ValueError(f"setup: voltage_window = {options['voltage_window']!r}; it is \"auto\" "
                         "or four numbers")
    speedup = options["speedup"]
    if not np.isscalar(speedup) or isinstance(speedup, str) or not speedup > 0:
        raise ValueError(f"setup: speedup = {speedup!r}; it is a positive number")
    session["speedup"] = float(speedup)
    if options["threads"] is not None:
        session["threads"] = options["threads"]
    if options["calibration"] is not None:
        session["calibration"] = os.fspath(options["calibration"])
    session["defects"] = os.fspath(options["defects"])
    return session


def setup(timestep=0.1, min_delay="auto", **extra):
    """Begins a new network; an earlier one is forgotten.

    timestep, min_delay, max_delay are in ms. Keywords of this back end, defaults first:

    backend         "emulator": mapped onto the wafer; "reference": the model as it is, in double
                    precision
    wafer           30 or another number: a manufactured wafer; "ideal": one without flaws
    effects         "default" of the wafer, "all", "none", or {name: True or False}
    neuron_size     "auto", or circuits per neuron: even, 2 to 64
    capacitor       "auto", "big" or "small": of the membranes
    leak            "auto", "slow", "normal" or "fast": range of the membrane time constants
    voltage_window  "auto", or (lowest mV, highest mV, lowest V, highest V): which potentials of the
                    model become which voltages
    readout         "adc": two membranes per reticle; "probe": any, as no wafer can
    speedup         10000: time of the model over time on the wafer
    seed            0: of Poisson sources, of noise and of the search for a mapping
    threads         None for all processors, or a number; results do not depend on it
    calibration     None for the user's own, which is filled on demand, or a file
    defects         "wafer": its own, "none", or a file
    effort          "normal", "quick" or "max": time that the search for a mapping may take
    on_loss, on_clip  "warn", "error" or "ignore" when synapses are lost, or values clipped
    progress        True: a line on a terminal, or a bar in a notebook, while something takes long

    The logger "pynn_brainscales1" tells at level INFO what is mapped and run, and how long that took.

    What a script does not give is taken from the JSON object in the environment variable BSS1_SETUP,
    if there is one. Keywords of other back ends are ignored, unknown ones give a UserWarning; wrong
    values raise ValueError or TypeError. Returns 0."""
    common.setup(timestep, min_delay, **extra)
    max_delay = extra.get("max_delay", "auto")
    for key, value in (("timestep", timestep), ("min_delay", min_delay), ("max_delay", max_delay)):
        if value == "auto" and key != "timestep":
            continue
        if isinstance(value, str) or not np.isfinite(value) or value <= 0:
            raise ValueError(f"setup: {key} = {value!r}; it is a positive number of ms")
    options = _options(extra)
    kind = Reference if options["backend"] == "reference" else Emulator
    engine = kind(timestep, options)
    display = display_for(options["progress"])
    simulator.state.begin(engine, timestep, min_delay, max_delay, display)
    simulator.logger.info("setup: %s", "reference engine" if kind is Reference else f"wafer {options['wafer']}")
    return 0


def end(compatible_output=True):
    """Writes what `record(..., to_file=...)` asked for. Data can still be read."""
    state = simulator.state
    for population, variables, filename in state.write_on_end:
        population.write_data(get_io(filename), variables)
    state.write_on_end = []
    state.ended = True


_run, _run_until = common.build_run(simulator)


def _check_time(name, time):
    if isinstance(time, (str, bool, np.bool_)) or not np.isscalar(time) or not np.isreal(time):
        raise TypeError(f"{name} = {time!r}; it is a number of ms")
    if not np.isfinite(time) or time > LONGEST:
        raise ValueError(f"{name} = {time:g} ms; times are finite and at most {LONGEST:g} ms")


def run(simtime, callbacks=None):
    _check_time("simtime", simtime)
    return _run(simtime, callbacks)


def run_until(time_point, callbacks=None):
    _check_time("time_point", time_point)
    return _run_until(time_point, callbacks)


run.__doc__, run_until.__doc__ = _run.__doc__, _run_until.__doc__
run_for = run
reset = common.build_reset(simulator)
initialize = common.initialize
(get_current_time, get_time_step, get_min_delay, get_max_delay, num_processes,
 rank) = common.build_state_queries(simulator)


def _emulator(idle=True):
    engine = simulator.state.require_engine(idle)
    if not isinstance(engine, Emulator):
        raise RuntimeError("the reference engine maps nothing; use backend=\"emulator\"")
    return engine


def map_only():
    """Places, routes, assigns and translates the network, without running it. Ctrl-C ends that, and the
    network is as before.

    Raises RuntimeError on the reference engine, and pyNN.errors or ValueError where the wafer cannot do
    what the network asks for."""
    engine, state = _emulator(idle=False), simulator.state
    engine.flush(state)
    try:
        with state.watched() as progress:
            engine.map(progress)
    finally:
        state.warn()


def mapping_report():
    """What became of the network on the wafer, as a dict; None before the first mapping.

    Counts of neurons and synapses, lost ones by cause and projection, relative errors of weights,
    clipped parameters, chips, and seconds of each stage; docs/guide.md explains the keys. Raises
    RuntimeError on the reference engine."""
    return _emulator().session.mapping_report()


def run_report():
    """What all runs since time 0, or since the network has grown, were like, as a dict; None before the
    first run.

    Biological ms, seconds on the wafer and here, spikes sent, recorded and dropped by cause, events of
    synapses, joules that the wafer would take; docs/guide.md explains the keys. Raises RuntimeError on
    the reference engine."""
    return _emulator().session.run_report()


def save_mapping(path):
    """Writes the mapping to a file, which is replaced as a whole or not at all. Raises OSError if that
    fails, and RuntimeError before the first mapping."""
    _emulator().session.save_mapping(os.fspath(path))


def load_mapping(path):
    """Takes placement and routes from a file that `save_mapping` wrote for the same network. Raises
    OSError, naming the file, if it is none of that kind or of another network or wafer."""
    engine, state = _emulator(idle=False), simulator.state
    engine.flush(state)
    try:
        with state.watched() as progress:
            engine.session.load_mapping(os.fspath(path), progress)
    finally:
        state.warn()


class Picture:
    """A picture as SVG; Jupyter shows it."""

    def __init__(self, svg):
        self.svg = svg

    def _repr_svg_(self):
        return self.svg

    def __repr__(self):
        return f"<picture, {len(self.svg)} bytes of SVG>"


def wafer_picture(path=None, view="wafer"):
    """A picture of the mapping: view is wafer, drivers, losses, causes, matrix or delays. Written to
    a file if there is a path, which ends in .svg or .png."""
    writes = {".svg": str.encode, ".png": _core.png}
    suffix = None if path is None else os.path.splitext(path)[1].lower()
    if path is not None and suffix not in writes:
        raise ValueError(f"wafer_picture: path = {os.fspath(path)!r}; it ends in .svg or .png")
    picture = Picture(_emulator().session.picture(view))
    if path is not None:
        with open(path, "wb") as file:
            file.write(writes[suffix](picture.svg))
    return picture
