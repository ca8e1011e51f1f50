"""host.yaml as text: YAML read with the place of every key and value kept.

Scalars follow the YAML 1.2 core schema, so that `on`, `no` and `02:00` are words and not a
boolean, a boolean and 120; keys are always text. The parser is PyYAML's; the tree is our own,
because it must survive depth, alias bombs and doubled keys, and report all of them at once.
"""

import codecs
import re

import yaml

from emily_infra.findings import Finding, Location, Severity
from emily_infra.spec.composer import Composer, resolve
from emily_infra.spec.tree import Data, Node, Source

__all__ = ["MAX_BYTES", "Data", "Node", "Source", "read", "resolve"]

MAX_BYTES = 1 << 20

_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PARSER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(file: str, raw: bytes) -> tuple[Source, list[Finding]]:
    """The tree of a file, and everything that is wrong with it as YAML."""
    if len(raw) > MAX_BYTES:
        message = f"the file is larger than {MAX_BYTES} bytes; no host needs that much"
        return Source(file), [
            _error("YML001", Location(file), message, "describe one host per file")
        ]
    raw = raw.removeprefix(codecs.BOM_UTF8)
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        place = Location(file, raw.count(b"\n", 0, error.start) + 1)
        message = f"byte {error.start + 1} is not UTF-8"
        return Source(file), [_error("YML002", place, message, "save the file as UTF-8")]
    source = Source(file, tuple(_BREAK.split(text)))
    if found := _FORBIDDEN.search(text):
        *above, line = _BREAK.split(text[: found.start()])
        place = source.at((len(above), len(line)), (len(above), len(line) + 1))
        message = f"the control character U+{ord(found[0]):04X} is not allowed in YAML"
        return source, [_error("YML002", place, message, "delete the character")]
    composer = Composer(source)
    root = composer.compose(yaml.parse(text, Loader=_PARSER))
    return Source(file, source.lines, root), composer.findings


def _error(code: str, place: Location, message: str, hint: str) -> Finding:
    return Finding(code, Severity.ERROR, place, message, hint)
