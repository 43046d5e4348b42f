"""HTTP servers of one's own in a thread, whose connections can be broken on purpose."""

from local.serving.connections import Connection, disconnected, pause
from local.serving.server import serving

__all__ = ["Connection", "disconnected", "pause", "serving"]
