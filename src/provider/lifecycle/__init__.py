"""The meaning of Create, Update and Delete, and of a look, for a job of any kind."""

from provider.lifecycle.lifecycle import Lifecycle
from provider.lifecycle.patience import Patience
from provider.lifecycle.terms import Asked, RequestFailed, Told, Waiting
from provider.lifecycle.wording import TIME_IS_UP

__all__ = ["TIME_IS_UP", "Asked", "Lifecycle", "Patience", "RequestFailed", "Told", "Waiting"]
