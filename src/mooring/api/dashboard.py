"""The dashboard: one page for every path that people go to, and the files that this page asks for."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from http import HTTPStatus
from pathlib import Path

from starlette.responses import Response
from starlette.types import Scope

from mooring.api import pages
from mooring.api.packing import takes_gzip

BUILT = Path(__file__).with_name("static")
"""Where the build puts it; hatch_build.py says how."""
NONCE = "__MOORING_NONCE__"
"""What the build writes where a nonce belongs; vite.config.ts names it too."""
BASE = '<base href="/" />'
ASSETS = "/assets/"
_PAGES = re.compile(r"/(?:(?:add|import|tokens|sign-in|pools(?:/[^/]+)?|targets/[^/]+(?:/edit)?)/?)?")
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_FOREVER = "public, max-age=31536000, immutable"
"""Right for files that are named after their content."""


@dataclass(frozen=True, slots=True)
class _File:
    """A file as it is sent, and packed where that makes it smaller."""

    media_type: str
    plain: bytes
    packed: bytes | None


class Dashboard:
    """Gives out the built dashboard. It is read once, and again where a new build has replaced it.

    Only what was found in the folder can be asked for, so no path leads out of it.
    """

    def __init__(self, folder: Path = BUILT) -> None:
        self._folder = folder
        self._built: int | None = None
        self._index = ""
        self._assets: Mapping[str, _File] = {}

    def page(self, base_path: str, status: int = HTTPStatus.OK) -> Response:
        """Return the page. It finds out by its address which of its views to show."""
        if not self._read():
            return pages.unbuilt(base_path, status)
        nonce = secrets.token_urlsafe(16)
        text = self._index.replace(NONCE, nonce)
        text = text.replace(BASE, f'<base href="{escape(base_path)}/" />', 1)
        return Response(text, status, {"content-security-policy": _policy(nonce)}, "text/html")

    def asset(self, name: str, accepted: str) -> Response | None:
        """Return a file that the page asks for; None where there is no such file.

        `accepted`: the request's Accept-Encoding.
        """
        if name not in self._assets and not self._read():
            return None
        file = self._assets.get(name)
        if file is None:
            return None
        headers = {"cache-control": _FOREVER, "vary": "accept-encoding"}
        if file.packed is not None and takes_gzip(accepted):
            headers["content-encoding"] = "gzip"
            return Response(file.packed, headers=headers, media_type=file.media_type)
        return Response(file.plain, headers=headers, media_type=file.media_type)

    def _read(self) -> bool:
        """Read the build where it is not the one that was read before. False where there is none."""
        index = self._folder / "index.html"
        try:
            built = index.stat().st_mtime_ns
            if built != self._built:
                self._index = index.read_text()
                self._assets = {
                    path.name: _file(path)
                    for path in (self._folder / "assets").iterdir()
                    if path.suffix in _TYPES
                }
                self._built = built
        except OSError:  # there is none, or it is being replaced: what was read before still works
            return self._built is not None
        return True


def is_page(path: str) -> bool:
    """Whether the dashboard has a view of this path, which is without the base path."""
    return _PAGES.fullmatch(path) is not None


def wants_page(scope: Scope, path: str) -> bool:
    """Whether a person's browser goes to this path, rather than a program."""
    if scope["method"] not in ("GET", "HEAD") or path.startswith(("/api/", ASSETS)):
        return False
    accepted = (value for name, value in scope["headers"] if name == b"accept")
    return any(b"text/html" in value for value in accepted)


def _file(path: Path) -> _File:
    packed = path.with_name(f"{path.name}.gz")
    return _File(_TYPES[path.suffix], path.read_bytes(), packed.read_bytes() if packed.exists() else None)


def _policy(nonce: str) -> str:
    """Return what the page may load: what this server gave out with this very answer, and nothing else."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'nonce-{nonce}'",
            f"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )
