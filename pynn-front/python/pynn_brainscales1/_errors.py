"""PyNN's exceptions for what Rust refuses."""

from pyNN import errors


class ReadoutError(errors.RecordingError):
    """A recording that the wafer cannot make."""

    def __init__(self, message):
        Exception.__init__(self, message)

    def __str__(self):
        return self.args[0]


class UnknownParameterError(errors.NonExistentParameterError):
    """A parameter that does not exist, in the words of the engine."""

    def __init__(self, message):
        Exception.__init__(self, message)

    def __str__(self):
        return self.args[0]


_KINDS = {
    "parameter": errors.InvalidParameterValueError,
    "unknown_parameter": UnknownParameterError,
    "dimensions": errors.InvalidDimensionsError,
    "connection": errors.ConnectionError,
    "weight": errors.InvalidWeightError,
    "recording": ReadoutError,
    "model": errors.InvalidModelError,
    "value": ValueError,
    "file": OSError,
    "state": RuntimeError,
}


def make(kind, message):
    """The exception of a kind; Rust calls this."""
    return _KINDS[kind](message)
