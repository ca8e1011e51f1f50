import sys
from pathlib import Path

import pytest

from emily_infra.lab.faults import LacksPrograms
from emily_infra.lab.system.store import stage_sources


def test_both_programs_come_along_from_the_source_that_runs(tmp_path: Path) -> None:
    stage_sources(tmp_path)

    assert (tmp_path / "emily-infra/emily_infra/modules/runtime.nix.j2").exists()
    assert (tmp_path / "emily-runtime/emily_runtime/service/page.html").exists()


def test_where_the_toolkit_is_installed_alone_the_lab_says_where_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "emily_runtime", None)

    with pytest.raises(LacksPrograms, match="not installed beside") as refused:
        stage_sources(tmp_path)

    assert refused.value.hint.endswith("nix develop --command emily-infra lab up HOST")
