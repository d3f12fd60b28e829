"""`import pyNN.brainscales1`: the back end `pynn_brainscales1` under the name that PyNN's scripts expect."""

import sys

import pynn_brainscales1

sys.modules[__name__] = pynn_brainscales1
