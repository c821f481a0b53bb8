"""A kind of somebody else's package, as installed: with a setting of every shape that a form knows."""

from __future__ import annotations

from pathlib import Path

MODULE = '''
"""Somebody's own kind."""

from typing import ClassVar, Literal

from pydantic import BaseModel, Field, SecretStr

from mooring.core.reason import Reason
from mooring.core.stage import Stage
from mooring.probes import CheckError, Observation, Probe, Trail, Url


class Lens(BaseModel):
    """What stands before the light."""

    order: int = Field(3, ge=1, le=6, description="Its size, 1 being the largest.")
    maker: str | None = Field(None, description="Who ground it.", examples=["Barbier"])


class Lantern(Probe):
    """Lantern: look whether the light burns as it should."""

    kind: Literal["lantern"] = "lantern"
    schemes: ClassVar[tuple[str, ...]] = ("lantern",)
    proves: ClassVar = {Stage.AUTH: "the keeper lets us in", Stage.FUNCTION: "the light burns"}

    url: SecretStr = Field(description="lantern://rock", examples=["lantern://rock"])
    keeper: str = Field(description="Who keeps it.", min_length=2)
    phrase: SecretStr = Field(description="What lets us in.")
    height: float = Field(12.5, gt=0, le=100, description="Metres above the water.")
    lit: bool = Field(True, description="Whether it is to burn.")
    colour: Literal["white", "red", "green"] = Field("white", description="Of the light.")
    harbours: tuple[str, ...] = Field((), description="Who steers by it.")
    signals: dict[str, str] = Field(default_factory=dict, description="What each signal means.")
    lens: Lens = Field(default_factory=Lens)

    @property
    def address(self) -> str:
        return Url.parse(self.url.get_secret_value()).host

    async def check(self, trail: Trail) -> Observation:
        async with trail.stage(Stage.AUTH):
            if self.phrase.get_secret_value() != "mind the rocks":
                raise CheckError(Reason.AUTH, "the keeper does not know that phrase", code="STRANGER")
        async with trail.stage(Stage.FUNCTION):
            return Observation({"colour": self.colour})
'''


def installed(folder: Path) -> Path:
    """Put the package into a folder as pip would; return the folder, for PYTHONPATH."""
    (folder / "acme_lantern.py").write_text(MODULE)
    info = folder / "acme_lantern-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-lantern\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[mooring.probes]\nlantern = acme_lantern:Lantern\n")
    return folder
