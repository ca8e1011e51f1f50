"""The OpenAPI 3.1 document, out of the places and their types."""

from collections.abc import Sequence
from typing import Any

import msgspec

from emily_runtime import __version__
from emily_runtime.service.endpoints import Place
from emily_runtime.service.front import OPEN
from emily_runtime.service.problems import MEDIA_TYPE, Problem

PROBLEMS = {
    "400": "The body is not JSON, or the request is malformed.",
    "401": "The token is missing or wrong.",
    "413": "The body is too large.",
    "422": "The body does not fit, or cannot be computed with.",
    "429": "Too many requests.",
    "500": "Something broke inside.",
    "503": "Not ready, overloaded, or short of memory; Retry-After says when to come back.",
    "504": "No answer was found in time.",
}
"""What may go wrong anywhere behind the token."""
CREATED = {"/api/v1/memory": "201"}
"""Who answers otherwise than with 200."""


def document(places: Sequence[Place]) -> dict[str, Any]:
    """All places, with the schemas of what they take and give."""
    types = {
        one for place in places for one in (place.takes, place.gives) if one not in (None, bytes)
    }
    names = sorted(types, key=str)
    template = "#/components/schemas/{name}"
    schemas, components = msgspec.json.schema_components([*names, Problem], ref_template=template)
    known = dict(zip(names, schemas, strict=False))
    paths: dict[str, dict[str, Any]] = {}
    for place in places:
        paths.setdefault(place.path, {})[place.method.lower()] = _operation(place, known)
    return {
        "openapi": "3.1.0",
        "info": {"title": "emily-runtime", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _operation(place: Place, schemas: dict[Any, Any]) -> dict[str, Any]:
    name = place.path.strip("/").removeprefix("api/v1/").replace("/", "_").replace(".", "_")
    schema = schemas.get(place.gives, {"type": "string"})
    media = place.media.decode().partition(";")[0]
    good = {"description": place.summary, "content": {media: {"schema": schema}}}
    found: dict[str, Any] = {
        "operationId": f"{place.method.lower()}_{name}",
        "summary": place.summary,
        "responses": {CREATED.get(place.path, "200"): good, **_problems(place, good)},
    }
    if place.takes:
        content = {"application/json": {"schema": schemas[place.takes]}}
        found["requestBody"] = {"required": True, "content": content}
    if place.path in OPEN:
        found["security"] = []
    return found


def _problems(place: Place, good: dict[str, Any]) -> dict[str, Any]:
    if place.path in OPEN:
        return {"503": {**good, "description": "Not now."}}
    schema = {"$ref": "#/components/schemas/Problem"}
    content = {MEDIA_TYPE: {"schema": schema}}
    return {status: {"description": text, "content": content} for status, text in PROBLEMS.items()}
