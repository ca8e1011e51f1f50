"""Callers of the runtime, run on the lab's machine by its own Python: counts of replies as JSON.

python3 calling.py HOST PORT restless FILE       until FILE.over is there; then writes FILE
python3 calling.py HOST PORT flood FILE SECONDS CONNECTIONS
"""

import asyncio
import http.client
import json
import sys
import threading
import time
from collections import Counter
from pathlib import Path

TOKEN = Path("/run/secrets/runtime-token")
FACETS = [{"name": name, "values": list("0123456789")} for name in "abcd"]


class Callers:
    """Everybody who calls, and what they got."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.replies: Counter[str] = Counter()
        token = TOKEN.read_text().strip()
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def restless(self, over: Path) -> None:
        """Two that call again and again, one of them over a kept connection."""
        callers = [threading.Thread(target=self._calls, args=[over, n]) for n in range(2)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()

    def _calls(self, over: Path, keeps: int) -> None:
        line = http.client.HTTPConnection(self.host, self.port, timeout=60)
        while not over.exists():
            try:
                line.request(
                    "POST", "/api/v1/attention", '{"signals": [0.1, 0.5, 0.9]}', self.headers
                )
                reply = line.getresponse()
                body = reply.read().decode()
                self.replies[str(reply.status) if reply.status == 200 else body] += 1
            except (OSError, http.client.HTTPException) as error:
                self.replies[repr(error)] += 1
                line.close()
            if not keeps:
                line.close()
            time.sleep(0.25)
        line.close()

    async def flood(self, seconds: float, connections: int) -> None:
        """So many that ask for much work, and again as soon as they have their reply."""
        end = time.monotonic() + seconds
        await asyncio.gather(*(self._pours(end) for _ in range(connections)))

    async def _pours(self, end: float) -> None:
        body = json.dumps({"facets": FACETS, "count": 100, "distinct": False})
        head = ["POST /api/v1/gflownet/generate HTTP/1.1", "Host: x", "Connection: close"]
        head += [f"{name}: {value}" for name, value in self.headers.items()]
        request = "\r\n".join([*head, f"Content-Length: {len(body)}", "", body]).encode()
        while time.monotonic() < end:
            try:
                reader, writer = await asyncio.open_connection(self.host, self.port)
                writer.write(request)
                said = (await reader.read()).decode()
                writer.close()
            except OSError as error:
                self.replies[repr(error)] += 1
                continue
            later = " with Retry-After" if "\r\nretry-after: " in said.lower() else ""
            self.replies[said.partition(" ")[2][:3] + later] += 1


def main(host: str, port: str, what: str, file: str, *numbers: str) -> None:
    """Call, and write down what came back."""
    callers, result = Callers(host, int(port)), Path(file)
    if what == "restless":
        callers.restless(result.with_suffix(".over"))
    else:
        asyncio.run(callers.flood(float(numbers[0]), int(numbers[1])))
    fresh = result.with_suffix(".fresh")
    fresh.write_text(json.dumps(callers.replies))
    fresh.rename(result)


if __name__ == "__main__":
    main(*sys.argv[1:])
