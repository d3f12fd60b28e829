"""Types of populations, views and assemblies. Parameters have PyNN's units: ms, mV, nF, nA, uS, Hz."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyNN import common

from .engines import Emulator, Reference

def members(cells: Any) -> NDArray[np.uint32]: ...

class Assembly(common.Assembly): ...

class PopulationView(common.PopulationView):
    @property
    def initial_values(self) -> dict[str, NDArray[np.float64]]: ...
    def initialize(self, **initial_values: Any) -> None: ...
    def realised(self) -> dict[str, NDArray[np.float64]]: ...

class Population(common.Population):
    offset: int
    def __init__(
        self,
        size: int | tuple[int, ...],
        cellclass: Any,
        cellparams: Mapping[str, Any] | None = None,
        structure: Any = None,
        initial_values: Mapping[str, Any] = ...,
        label: str | None = None,
    ) -> None: ...
    @property
    def engine(self) -> Reference | Emulator: ...
    def column(self, name: str) -> NDArray[np.float64]: ...
    def get(
        self, parameter_names: str | list[str], gather: bool = False, simplify: bool = True
    ) -> Any: ...
    def realised(self) -> dict[str, NDArray[np.float64]]: ...
