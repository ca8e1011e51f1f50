"""The operator's page: one file, allowed by its own digests to do what it does and nothing else."""

import base64
import hashlib
import re
from importlib.resources import files

from starlette.responses import Response
from starlette.types import Receive, Scope, Send


def policy(html: str) -> str:
    """A content security policy that names each inline script and style by its digest."""
    scripts, styles = (_digests(html, tag) for tag in ("script", "style"))
    rules = {
        "default-src": "'none'",
        "script-src": scripts,
        "style-src": styles,
        "connect-src": "'self'",
        "img-src": "data:",
        "require-trusted-types-for": "'script'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _digests(html: str, tag: str) -> str:
    found = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
    digests = (hashlib.sha256(one.encode()).digest() for one in found)
    return " ".join(f"'sha256-{base64.b64encode(one).decode()}'" for one in digests) or "'none'"


class Page:
    """An ASGI application for /."""

    def __init__(self) -> None:
        html = files("emily_runtime.service").joinpath("page.html").read_text(encoding="utf-8")
        headers = {
            "content-security-policy": policy(html),
            "referrer-policy": "no-referrer",
            "cross-origin-opener-policy": "same-origin",
        }
        self.reply = Response(html, media_type="text/html", headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The same to everybody: it holds nothing until it is given a token."""
        await self.reply(scope, receive, send)
