"""The handler of an attention in FastAPI with pydantic, served as ours is: `... FILE`.

The file is our configuration, of which only the port counts here.
"""

import sys
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

from emily_runtime.tiers.alpha import Alpha, gate


def serve(port: int) -> None:
    """Until it is told to stop."""
    fastapi, pydantic, uvicorn = map(import_module, ("fastapi", "pydantic", "uvicorn"))
    asked = pydantic.create_model("Asked", signals=(list[float], ...))
    fired = pydantic.create_model(
        "Fired", place=(int, ...), output=(float, ...), delay_ms=(float, ...)
    )
    told = pydantic.create_model("Told", firing=(list.__class_getitem__(fired), ...))

    async def attend(given: Any) -> Any:
        passed = gate(Alpha(), given.signals, 0.0)
        rows = [fired(place=one.place, output=one.output, delay_ms=one.delay) for one in passed]
        return told(firing=rows)

    attend.__annotations__ |= {"given": asked, "return": told}
    app = fastapi.FastAPI()
    app.post("/api/v1/attention", response_model=told)(attend)
    uvicorn.run(app, port=port, log_level="error", access_log=False)


if __name__ == "__main__":
    serve(tomllib.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["service"]["port"])
