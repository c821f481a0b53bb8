"""The few pages there are without the dashboard: no scripts, and nothing that is loaded from elsewhere."""

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
    "input,button{font:inherit;padding:.3rem .6rem}"
)
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src 'sha256-{_HASH}'",
        "form-action 'self'",
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


def home(base: str, name: str | None) -> HTMLResponse:
    """Return the first page: where things are and how to sign in."""
    who = f"You are signed in as {escape(name)}." if name else f'<a href="{base}/sign-in">Sign in</a> first.'
    return page(
        "Mooring",
        f"<h1>Mooring {escape(mooring.__version__)}</h1><p>It is running. {who}</p><ul>"
        f'<li><a href="{base}/api/v1/overview">How everything stands</a> (JSON)</li>'
        f'<li><a href="{base}/api/v1/targets">The targets</a> (JSON)</li>'
        f'<li><a href="{base}/metrics">Metrics</a> for Prometheus</li>'
        f'<li><a href="{base}/docs">The API</a> and <a href="{base}/openapi.json">its description</a></li>'
        "</ul>"
        "<p>On the command line: <code>mooring targets list</code>, <code>mooring token create</code>.</p>",
    )


def sign_in(base: str, code: str = "", mistake: str = "", status: int = 200) -> HTMLResponse:
    """Return the page that takes a token, or that spends a one-time code at the press of a button.

    A link alone signs nobody in: programs that look at links in advance would use the code up.
    """
    field = (
        f'<input type="hidden" name="token" value="{escape(code)}">'
        if code
        else '<label>Token <input type="password" name="token" autofocus></label> '
    )
    words = f"<p><strong>{escape(mistake)}</strong></p>" if mistake else ""
    how = "" if code else "<p><code>mooring token create --role viewer --name ME</code> makes one.</p>"
    return page(
        "Sign in to Mooring",
        f'<h1>Sign in to Mooring</h1>{words}<form method="post" action="{base}/sign-in">{field}'
        f"<button>Sign in</button></form>{how}",
        status,
    )
