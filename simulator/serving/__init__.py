"""HTTP servers that run in a thread, and whose connections can be broken on purpose."""

from simulator.serving.connections import Connection, disconnected, pause
from simulator.serving.server import serving

__all__ = ["Connection", "disconnected", "pause", "serving"]
