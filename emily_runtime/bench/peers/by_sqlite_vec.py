"""The ten nearest by sqlite-vec, in memory; apsw because it loads extensions everywhere."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from emily_runtime.bench import remembered

NAMES = ("sqlite-vec", "apsw")


def prepared(count: int, asked: int) -> Callable[[], dict[str, list[list[int]]]]:
    """ASKED searches among COUNT; the rows found, from 1."""
    apsw: Any = import_module("apsw")
    extension: Any = import_module("sqlite_vec")
    database = apsw.Connection(":memory:")
    database.enable_load_extension(bool(extension))
    database.load_extension(extension.loadable_path())
    matrix = remembered.vectors(count, seed=1)
    database.execute(f"create virtual table v using vec0 (vector float[{matrix.shape[1]}])")
    database.execute("begin")
    database.executemany(
        "insert into v (rowid, vector) values (?, ?)",
        ((number, vector.tobytes()) for number, vector in enumerate(matrix, 1)),
    )
    database.execute("commit")
    query = "select rowid from v where vector match ? and k = 10 order by distance"
    vectors = [vector.tobytes() for vector in remembered.vectors(asked, seed=99)]
    return lambda: {
        "found": [[row for (row,) in database.execute(query, (one,))] for one in vectors]
    }
