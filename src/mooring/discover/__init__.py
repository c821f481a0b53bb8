"""Addresses in what people paste: a list, a .env, a Compose file, or the environment of a process."""

from mooring.discover._found import Found
from mooring.discover._text import discover, from_environ

__all__ = ["Found", "discover", "from_environ"]
