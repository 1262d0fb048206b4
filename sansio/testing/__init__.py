"""Tests in virtual time: your server and your clients in one process, and a network that fails.

Everything follows from a seed. See docs/guides/simulation.md.
"""

from .errors import SimulationError as SimulationError
from .faults import CALM as CALM
from .faults import STORMY as STORMY
from .faults import Faults as Faults
from .simulation import SimulatedServer as SimulatedServer
from .simulation import Simulation as Simulation
