"""`import pyNN.pynn_brainscales1`: the back end under its own name, for scripts that put `pyNN.` before any name."""

import sys

import pynn_brainscales1

sys.modules[__name__] = pynn_brainscales1
