"""Callers that never rest, over kept connections and new ones, and all the replies they got."""

import http.client
import re
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from tempfile import NamedTemporaryFile

from tests.runtime_deploy.world import TOKEN

HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
PATH, BODY = "/api/v1/attention", '{"signals": [0.1, 0.5, 0.9]}'


@dataclass
class Load:
    """What callers met."""

    port: int
    replies: Counter[str] = field(default_factory=Counter)
    """By status, or by what went wrong instead."""
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def failed(self) -> dict[str, int]:
        """Everything but a 200."""
        return {what: count for what, count in self.replies.items() if what != "200"}

    def call(self, *, keeps: bool) -> None:
        """Requests one after the other."""
        mine: Counter[str] = Counter()
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        while not self.over.is_set():
            try:
                line.request("POST", PATH, BODY, HEADERS)
                reply = line.getresponse()
                reply.read()
                mine[str(reply.status)] += 1
            except (OSError, http.client.HTTPException) as error:
                mine[repr(error)] += 1
                line.close()
            if not keeps:
                line.close()
        line.close()
        self.replies.update(mine)


@contextmanager
def callers(port: int, many: int = 4) -> Iterator[Load]:
    """They call while the block runs; their replies are there after it."""
    load = Load(port)
    threads = [
        threading.Thread(target=load.call, kwargs={"keeps": bool(number % 2)}, daemon=True)
        for number in range(many)
    ]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.over.set()
        for thread in threads:
            thread.join(30)


@dataclass
class Wrk:
    """What wrk met."""

    failed: dict[str, int] = field(default_factory=dict)
    requests: int = 0

    def heard(self, said: str) -> None:
        """Its own words, of which the lines about failures are missing where all went well."""
        self.requests = int(found[1]) if (found := re.search(r"(\d+) requests in", said)) else 0
        self.failed = {
            line.strip(): 1
            for line in said.splitlines()
            if "Socket errors" in line or "Non-2xx" in line
        }


@contextmanager
def wrk(port: int, connections: int = 2) -> Iterator[Wrk]:
    """Debian's wrk, which asks over kept connections as fast as it can while the block runs."""
    heavy = Wrk()
    with NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f"wrk.method, wrk.body = 'POST', '{BODY}'\n")
        script.writelines(f"wrk.headers['{name}'] = '{value}'\n" for name, value in HEADERS.items())
        script.flush()
        command = ["wrk", "-t1", f"-c{connections}", "-d600s", "-s", script.name]
        address = f"http://127.0.0.1:{port}{PATH}"
        process = subprocess.Popen([*command, address], stdout=subprocess.PIPE, text=True)
        try:
            yield heavy
        finally:
            process.send_signal(signal.SIGINT)
            heavy.heard(process.communicate(timeout=30)[0])
