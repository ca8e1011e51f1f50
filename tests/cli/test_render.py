"""`emily-infra render` as a person meets it."""

from pathlib import Path

from tests.cli.command import emily, project, text_of


def generated(folder: Path) -> dict[str, str]:
    return {p.name: p.read_text() for p in (folder / "hosts/pebble/generated").glob("*")}


def test_a_render_writes_modules_that_default_nix_imports(tmp_path: Path) -> None:
    folder = project(tmp_path, pebble=text_of("pebble"))

    done = emily(folder, "render")

    files = generated(folder)
    assert done.code == 0
    assert {"default.nix", "network.nix", "storage.nix", "system.nix"} <= files.keys()
    assert all(f"./{name}\n" in files["default.nix"] for name in files if name != "default.nix")


def test_a_module_names_the_file_to_edit(tmp_path: Path) -> None:
    folder = project(tmp_path, pebble=text_of("pebble"))

    emily(folder, "render")

    assert all(
        "hosts/pebble/host.yaml" in text.splitlines()[0] for text in generated(folder).values()
    )


def test_a_second_render_changes_nothing(tmp_path: Path) -> None:
    folder = project(tmp_path, pebble=text_of("pebble"))
    emily(folder, "render")

    again = emily(folder, "render")

    assert "unchanged" in again.out
    assert emily(folder, "render", "--check").code == 0


def test_a_stale_folder_fails_with_a_diff(tmp_path: Path) -> None:
    folder = project(tmp_path, pebble=text_of("pebble"))
    emily(folder, "render")
    path = folder / "hosts/pebble/host.yaml"
    path.write_text(path.read_text().replace("5eb1e000", "5eb1e001"))

    done = emily(folder, "render", "--check")

    assert done.code == 1
    assert '-  networking.hostId = "5eb1e000";' in done.out
    assert '+  networking.hostId = "5eb1e001";' in done.out


def test_one_bad_host_stops_the_render_of_all(tmp_path: Path) -> None:
    folder = project(tmp_path, pebble=text_of("pebble"), zbad="emily: 1")

    done = emily(folder, "render")

    assert done.code == 1
    assert "nothing was written" in done.err
    assert not (folder / "hosts/pebble/generated").exists()


def test_a_folder_that_cannot_be_written_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    folder = project(tmp_path, pebble=text_of("pebble"))
    (folder / "hosts/pebble/generated").write_text("a file where the folder belongs")

    done = emily(folder, "render")

    assert done.code == 1
    assert "RND001" in done.err
    assert (folder / "hosts/pebble/generated").read_text().startswith("a file")
