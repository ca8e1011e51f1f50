"""What a secret looks like when its value is written where only its name belongs."""

import re

_KINDS = {
    "a private key": r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?s:.*)|AGE-SECRET-KEY-1[0-9A-Z]+",
    "an AWS key": r"(?:AKIA|ASIA)[0-9A-Z]{16}",
    "an API token": r"gh[oprsu]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|xox[a-z]-[\w-]{10,}"
    r"|AIza[\w-]{35}|sk-ant-[\w-]{8,}|sk-(?=\S{,99}[0-9])(?=\S{,99}[A-Z])[\w-]{20,}"
    r"|eyJ[\w-]{8,499}\.eyJ[\w-]{8,}\.[\w-]*",
    "a password's hash": r"\$(?:[1567y]|gy|2[abxy]|argon2i?d?)\$[./\w$=,+-]{16,}",
    "a password in a URL": r"(?<=://)[^\s/:@]{,99}:(?!\d+(?:/|$))[^\s@]{1,199}(?=@)",
}
# Every look ahead has an end, so that no text takes more than linear time.
_VALUE = re.compile(rf"(?<!\w)(?:{'|'.join(f'({kind})' for kind in _KINDS.values())})")
_KEYED = re.compile(
    r"""(?i)(?:passw(?:or)?d|passphrase|token|api_?key|secret_?key|private_?key|preshared_?key)"""
    r"""["']?\s*:\s+(?!secret:)([^\s{\[&*#][^,}#]*)"""
)


def credential(text: str) -> str | None:
    """The kind of secret that a text holds, as far as it can be recognised."""
    found = _VALUE.search(text)
    return list(_KINDS)[(found.lastindex or 1) - 1] if found else None


def blotted(text: str) -> str:
    """The text with every recognisable secret starred out, as long as it was."""
    for pattern in (_VALUE, _KEYED):
        text = pattern.sub(_stars, text)
    return text


def _stars(found: re.Match[str]) -> str:
    start, end = (edge - found.start() for edge in found.span(found.lastindex or 0))
    return found[0][:start] + "*" * (end - start) + found[0][end:]
