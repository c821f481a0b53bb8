"""Addresses in what people paste: a list, a .env, a Compose file, or the environment of a process."""

from mooring.discover._found import Found, Looked
from mooring.discover._text import discover, from_environ, look

__all__ = ["Found", "Looked", "discover", "from_environ", "look"]
