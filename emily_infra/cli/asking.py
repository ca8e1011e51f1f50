"""Questions to a person at a terminal."""

import sys

import typer


def must_type(question: str, answer: str) -> None:
    """Abort, unless just this is typed."""
    typer.echo(f"{question}: ", nl=False, err=True)
    if sys.stdin.readline().strip() != answer:
        raise typer.Abort
