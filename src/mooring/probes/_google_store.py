"""The name of a DICOM store."""

from __future__ import annotations

import re
from typing import NamedTuple

from mooring.probes._url import Url

SCHEME = "google-healthcare"
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,255}")
_NAMED = ("projects", "locations", "datasets", "dicomStores")


class Store(NamedTuple):
    """Which DICOM store."""

    project: str
    location: str
    dataset: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Store:
        """Take an address apart: its four parts, or the API's own resource name. Raises ValueError."""
        Url.parse(text.replace(":", "%3A").replace("%3A//", "://", 1))
        parts = text.partition("://")[2].partition("?")[0].strip("/").split("/")
        if tuple(parts[::2][:4]) == _NAMED and len(parts) >= len(_NAMED) * 2:
            parts = parts[1:8:2]
        if len(parts) != len(_NAMED) or not all(map(_PART.fullmatch, parts)):
            raise ValueError(f"the address has to be {SCHEME}://project/location/dataset/store")
        return cls(*parts)

    @property
    def path(self) -> str:
        """Its resource name."""
        return "/".join(f"{kind}/{part}" for kind, part in zip(_NAMED, self, strict=True))

    def above(self, depth: int) -> str:
        """Return the resource name of what it stands in: 3 its dataset, 2 its location, 1 its project."""
        return "/".join(self.path.split("/")[: depth * 2])
