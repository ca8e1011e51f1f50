"""What a person meant by a value of another kind, written so that it can be pasted."""

import re

_SAFE = re.compile(r"[A-Za-z0-9./_-][A-Za-z0-9 ./_:@+-]{0,59}")
"""Text that stands in a list of YAML without quotes, and is short enough for a hint."""
_DIGITS = re.compile(r"0|[1-9][0-9]{0,17}")
"""What is read as a number when no quotes stand around it."""
_TRUTHS = {"yes": "true", "on": "true", "no": "false", "off": "false"}


def rewritten(key: str, wanted: str, value: object) -> str:
    """The hint for a value that is not the wanted kind; dots stand for a secret."""
    if value is None:
        return f"fill it in; if there is nothing to say, delete {key}"
    match wanted:
        case "a list" if isinstance(value, dict):
            return f"begin each entry below {key}: with a dash"
        case "a list":
            return f"write {key}: [{_item(value)}]"
        case "a mapping":
            return f"write {key}: {{ KEY: VALUE }}, or one KEY: VALUE a line, indented below {key}:"
        case "true or false":
            return f"write {_TRUTHS.get(str(value).lower(), 'true or false')}"
        case "a whole number":
            digits = _DIGITS.fullmatch(str(value))
            return f"write {value} without quotes" if digits else "write digits only, such as 7"
        case "a number":
            return "write digits without quotes, such as 7 or 2.5"
        case _:
            return "write one word, or text in quotes"


def _item(value: object) -> str:
    text = str(value)
    plain = isinstance(value, str | int) and not text.endswith(":") and ": " not in text
    return text if plain and _SAFE.fullmatch(text) else "..."
