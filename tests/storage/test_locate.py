"""The light of a disk, with real files in place of an enclosure."""

from pathlib import Path

from emily_infra.storage.locate import locate
from tests.observe.machines import Here, program


def enclosure(folder: Path) -> Path:
    """A slot with the disk sdq in it, as sysfs shows it."""
    slot = folder / "class/0:0:1:0/Slot 07"
    (slot / "device/block/sdq").mkdir(parents=True)
    (slot / "locate").write_text("0\n")
    return slot


def test_an_enclosure_is_lit_and_dark_again(tmp_path: Path) -> None:
    slot = enclosure(tmp_path)
    program(tmp_path, "sleep", f'cat "{slot}/locate" >{tmp_path}/meanwhile')

    said = locate(Here(programs=tmp_path), "sdq", 1, str(tmp_path / "class"))

    assert "Slot 07" in said
    assert (tmp_path / "meanwhile").read_text() == "1\n"
    assert (slot / "locate").read_text() == "0\n"


def test_without_an_enclosure_ledctl_is_asked(tmp_path: Path) -> None:
    program(tmp_path, "ledctl", f'echo "$1" >>{tmp_path}/asked')

    said = locate(Here(programs=tmp_path), "sdq", 1, str(tmp_path))

    assert "ledctl" in said
    assert (tmp_path / "asked").read_text() == "locate=/dev/sdq\nlocate_off=/dev/sdq\n"


def test_without_either_the_disk_itself_is_read_for_so_long(tmp_path: Path) -> None:
    program(tmp_path, "ledctl", "exit 1")
    program(tmp_path, "dd", f'echo "$1" >>{tmp_path}/read')

    said = locate(Here(programs=tmp_path), "sdq", 2, str(tmp_path))

    assert "activity light" in said
    assert "if=/dev/sdq" in (tmp_path / "read").read_text()


def test_another_disk_is_not_lit_in_its_place(tmp_path: Path) -> None:
    slot = enclosure(tmp_path)
    program(tmp_path, "ledctl", "exit 1")

    locate(Here(programs=tmp_path), "sdr", 1, str(tmp_path / "class"))

    assert (slot / "locate").read_text() == "0\n"
