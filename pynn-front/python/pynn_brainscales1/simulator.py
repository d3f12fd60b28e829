"""What this back end is while a script runs: its name, its cells' identities, its one state."""

import contextlib
import logging
import time
import warnings

from pyNN import common

name = "BrainScaleS-1"
logger = logging.getLogger("pynn_brainscales1")


class ID(int, common.IDMixin):
    """A cell, counted over all populations from 1 on."""

    def __init__(self, n):
        int.__init__(n)
        common.IDMixin.__init__(self)


class State(common.control.BaseState):
    """Time, network and engine of the present `setup()`."""

    def __init__(self):
        super().__init__()
        self.mpi_rank = 0
        self.num_processes = 1
        self.dt = 0.1
        self.requested_min_delay = "auto"
        self.requested_max_delay = "auto"
        self.engine = None
        self.ended = False
        self.progress = None
        self.clear()

    def clear(self):
        """Forgets everything of an earlier setup."""
        self.populations = []
        self.projections = []
        self.current_sources = []
        self.recorders = set()
        self.write_on_end = []
        self.id_counter = 1
        self.t = 0.0
        self.t_start = 0.0
        self.running = False
        self.segment_counter = 0

    def begin(self, engine, timestep, min_delay, max_delay, progress):
        """A new network on a new engine."""
        self.clear()
        self.dt = timestep
        self.requested_min_delay = min_delay
        self.requested_max_delay = max_delay
        self.engine = engine
        self.ended = False
        self.progress = progress

    def _delays(self):
        return [p.extreme_delays() for p in self.projections if len(p)]

    @property
    def min_delay(self):
        """ms; the shortest in use, or a time step, unless `setup` says otherwise."""
        if self.requested_min_delay == "auto":
            return min((low for low, _ in self._delays()), default=self.dt)
        return self.requested_min_delay

    @property
    def max_delay(self):
        """ms; the longest in use, or 10, unless `setup` says otherwise."""
        if self.requested_max_delay == "auto":
            return max((high for _, high in self._delays()), default=10.0)
        return self.requested_max_delay

    def require_engine(self, idle=False):
        """Refuses to go on before `setup()`, and after `end()` unless nothing is run or mapped."""
        if self.engine is None:
            raise RuntimeError("called before setup(); call setup() to begin a network")
        if self.ended and not idle:
            raise RuntimeError("called after end(); call setup() to begin a new network")
        return self.engine

    def run(self, simtime):
        self.run_until(self.t + simtime)

    def run_until(self, tstop):
        engine = self.require_engine()
        tstop = round(tstop / self.dt) * self.dt
        engine.flush(self)
        self.running = True
        since, begun = self.t, time.monotonic()
        try:
            with self.watched() as progress:
                engine.run(tstop, progress)
        finally:
            self.t = round(engine.now, 9)
            logger.info("ran from %g to %g ms in %.2f s", since, self.t, time.monotonic() - begun)
            self.warn()

    @contextlib.contextmanager
    def watched(self):
        """What shows progress, as long as something goes on; None where nobody looks."""
        display = self.progress and self.progress()
        try:
            yield display
        finally:
            if display:
                display.close()

    def warn(self):
        """Says what the engine has to say, each thing once per run."""
        for message in self.engine.take_warnings():
            warnings.warn(message, stacklevel=5)

    def reset(self):
        self.require_engine()
        self.running = False
        self.t = 0.0
        self.t_start = 0.0
        self.segment_counter += 1
        self.engine.reset()
        for projection in self.projections:
            projection.rewind()


state = State()
