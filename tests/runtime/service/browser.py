"""A real Chromium without a window, driven over its DevTools protocol."""

import base64
import json
import os
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
KEYS = {"Tab": 9, "Enter": 13}


@dataclass
class Tab:
    """One page."""

    wire: ClientConnection
    complaints: list[str] = field(default_factory=list)
    """Errors of the console, refusals of the security policy and uncaught exceptions."""
    asked: list[str] = field(default_factory=list)
    """Every address that was requested."""
    _number: int = 0

    def call(self, method: str, **given: Any) -> Any:
        """One command, and what it gives; events that come meanwhile are kept."""
        self._number += 1
        self.wire.send(json.dumps({"id": self._number, "method": method, "params": given}))
        while True:
            told = json.loads(self.wire.recv(timeout=20))
            if told.get("id") == self._number:
                assert "error" not in told, told
                return told["result"]
            self._keep(told)

    def _keep(self, told: Any) -> None:
        given = told.get("params", {})
        match told.get("method"):
            case "Log.entryAdded" if given["entry"]["level"] == "error":
                self.complaints.append(given["entry"]["text"])
            case "Runtime.exceptionThrown":
                self.complaints.append(str(given["exceptionDetails"]))
            case "Network.requestWillBeSent":
                self.asked.append(given["request"]["url"])

    def open(self, url: str, width: int = 1600, height: int = 1000, language: str = "en") -> None:
        """Load a page in a window of a size."""
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            self.call(f"{domain}.enable")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        agent = self.call("Browser.getVersion")["userAgent"]
        self.call("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage=language)
        self.call("Page.navigate", url=url)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def js(self, expression: str) -> Any:
        """What an expression comes to."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def until(self, expression: str, seconds: float = 15) -> None:
        """Wait for an expression to be true."""
        end = time.monotonic() + seconds
        while not self.js(expression):
            assert time.monotonic() < end, f"never: {expression}\n{self.text()}\n{self.complaints}"
            time.sleep(0.05)

    def text(self) -> str:
        """What can be read."""
        return str(self.js("document.body.innerText"))

    def type(self, words: str) -> None:
        """Into whatever has the focus."""
        self.call("Input.insertText", text=words)

    def press(self, key: str) -> None:
        """Tab or Enter."""
        given = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key]}
        text = {"text": "\r"} if key == "Enter" else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", **given, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **given)

    def focus(self) -> str:
        """The id of what has the focus."""
        return str(self.js("document.activeElement.id"))

    def spoken(self) -> list[tuple[str, str]]:
        """Role and name of all that a screen reader finds."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [
            (node["role"]["value"], node.get("name", {}).get("value", ""))
            for node in nodes
            if not node.get("ignored")
        ]

    def picture(self, file: Path) -> None:
        """The whole page as a PNG."""
        found = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(found["data"]))


@contextmanager
def tab(folder: Path) -> Iterator[Tab]:
    """A fresh browser with one empty page."""
    assert CHROMIUM
    options = ["--headless=new", "--remote-debugging-port=0", f"--user-data-dir={folder}"]
    options += ["--no-first-run", "--disable-gpu", "--disable-dev-shm-usage"]
    options += ["--disable-background-networking", "--disable-component-update"]
    if os.geteuid() == 0:  # its sandbox does not run as root
        options.append("--no-sandbox")
    process = subprocess.Popen(
        [CHROMIUM, *options, "about:blank"], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr
    try:
        for line in process.stderr:
            if found := re.search(r"DevTools listening on (ws://[^/]+)", line):
                break
        else:
            raise AssertionError("the browser did not start")
        with connect(f"{found[1]}/devtools/page/{_page(found[1])}", max_size=None) as wire:
            yield Tab(wire)
    finally:
        process.terminate()
        process.communicate(timeout=20)


def _page(address: str) -> str:
    with urllib.request.urlopen(address.replace("ws://", "http://") + "/json") as reply:
        pages = json.loads(reply.read())
    return next(str(page["id"]) for page in pages if page["type"] == "page")
