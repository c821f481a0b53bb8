"""A TCP port."""

from __future__ import annotations

import asyncio
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, SecretStr, model_validator

from mooring.core.failure import CheckError
from mooring.core.prose import Prose
from mooring.core.reason import Reason
from mooring.core.redact import cut
from mooring.core.result import Observation
from mooring.core.stage import Stage
from mooring.net.dial import Stream, dial
from mooring.net.trail import Trail
from mooring.probes._base import Probe
from mooring.probes._url import Url

MOST_ANSWER = 64 * 1024
SHARE_OF_TIME = 0.9
"""Part of the time left for the expected text, so that another answer is told as that and not as silence."""


def _sent(text: str) -> bytes:
    return text.encode().decode("unicode_escape").encode("latin-1")


def _can_be_sent(text: str) -> str:
    try:
        _sent(text)
    except UnicodeError:
        raise ValueError(
            "holds a backslash that begins nothing known; a plain one is written twice"
        ) from None
    return text


class TCP(Probe):
    """TCP: connect to a port and, where asked to, exchange a few bytes."""

    kind: Literal["tcp"] = "tcp"
    schemes: ClassVar[tuple[str, ...]] = ("tcp",)
    proves: ClassVar = {
        Stage.DNS: "the host's name resolves",
        Stage.TCP: "something accepts connections on the port",
        Stage.FUNCTION: "it answers `send` with something that holds `expect`",
    }

    url: SecretStr = Field(description="tcp://host:port", examples=["tcp://mail.example:25"])
    send: Annotated[str, AfterValidator(_can_be_sent)] | None = Field(
        None, description="Text sent once connected; \\r and \\n are understood."
    )
    expect: str | None = Field(None, description="Text that has to come within the timeout.")

    @model_validator(mode="after")
    def _has_port(self) -> TCP:
        url = self._parts
        if not url.host or url.port is None:
            raise ValueError("url: a tcp address names a host and a port: tcp://host:port")
        return self

    @property
    def _parts(self) -> Url:
        return Url.parse(self.url.get_secret_value())

    @property
    def address(self) -> str:
        return self._parts.authority()

    async def check(self, trail: Trail) -> Observation:
        url = self._parts
        async with await dial(trail, url.host, url.port or 0) as stream:
            if self.send is None and self.expect is None:
                return Observation()
            async with trail.stage(Stage.FUNCTION):
                await self._converse(stream, trail)
        return Observation()

    async def _converse(self, stream: Stream, trail: Trail) -> None:
        if self.send is not None:
            await stream.ask(_sent(self.send))
        if self.expect is None:
            return
        wanted, seen, chunk = self.expect.encode(), b"", b"more"
        try:
            async with asyncio.timeout(trail.remaining * SHARE_OF_TIME):
                while chunk and wanted not in seen and len(seen) <= MOST_ANSWER:
                    chunk = await stream.reader.read(MOST_ANSWER)
                    seen += chunk
        except TimeoutError:
            if not seen:
                raise
        if wanted not in seen:
            raise CheckError(
                Reason.ASSERTION,
                f"the answer does not hold {self.expect!r}: {cut(seen.decode(errors='replace'))!r}",
                code="UNEXPECTED_ANSWER",
                hint=Prose("Something else may listen on that port; or correct what send and expect say."),
            )
