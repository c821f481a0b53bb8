"""The pages that are not the dashboard: no scripts, and nothing that is loaded from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from html import escape

from starlette.responses import HTMLResponse

import mooring

_STYLE = (
    ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif}"
    "body{max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse}td,th{padding:.2rem .8rem;text-align:left;border-bottom:1px solid #8884}"
)
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src 'sha256-{_HASH}'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)


def page(title: str, body: str, status: int = 200) -> HTMLResponse:
    """Return a page. `body` is HTML whose foreign parts are escaped already."""
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body>{body}</body></html>"
    )
    return HTMLResponse(text, status, {"content-security-policy": _POLICY})


def unbuilt(base: str, status: int = 200) -> HTMLResponse:
    """Return what stands in for the dashboard in a checkout where it was not built."""
    return page(
        "Mooring",
        f"<h1>Mooring {escape(mooring.__version__)}</h1>"
        "<p>It is running, but its dashboard has not been built in this checkout. "
        "<code>make serve</code> builds it, and so does <code>pip install</code>.</p><ul>"
        f'<li><a href="{escape(base)}/docs">The API</a> and '
        f'<a href="{escape(base)}/openapi.json">its description</a></li></ul>'
        "<p>On the command line: <code>mooring targets list</code>, <code>mooring token create</code>.</p>",
        status,
    )
