"""One server in several processes, which listen on one port.

The kernel spreads the connections among the workers; one that comes to the wrong worker, because
a polling session takes several connections, is handed over to the right one. What is held in a
process is local to it: its sessions, rooms and broadcasts. See docs/guides/many-cores.md.
"""

from .application import ApplicationError as ApplicationError
from .running import CertificateError as CertificateError
from .supervisor import WorkerFailed as WorkerFailed
from .supervisor import serve_workers as serve_workers

__all__ = ["ApplicationError", "CertificateError", "WorkerFailed", "serve_workers"]
