"""Plain text as Markdown."""

import re


def prose(text: str) -> str:
    """Text whose marks mean nothing, but for code in backticks."""
    pieces = text.split("`")
    pieces[::2] = [re.sub(r"([*_<>\[\]\\])", r"\\\1", piece) for piece in pieces[::2]]
    return "`".join(pieces)


def table(head: str, rows: list[str]) -> str:
    """Rows under a head, as `| a | b |` each; nothing where there are no rows."""
    rule = "| " + " | ".join("---" for _ in head.split("|")) + " |"
    return "\n".join([f"| {head} |", rule, *rows, ""]) if rows else ""


def row(*cells: str) -> str:
    """One row; what would end a cell is escaped."""
    inner = (text.replace("|", "\\|").replace("\n", " ") for text in cells)
    return f"| {' | '.join(inner)} |"
