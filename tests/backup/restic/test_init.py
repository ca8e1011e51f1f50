"""`backup init`: a repository is made when asked, and never otherwise."""

import shutil

from tests.backup.world import World


def test_it_is_made_once(world: World) -> None:
    first, second = world.run("init", "shed"), world.run("init", "shed")

    assert (first.code, second.code) == (0, 1)
    assert "keep its password in a second place" in first.out
    assert "BKP038" in second.err
    assert "--adopt" in second.err


def test_another_one_is_taken_only_with_a_word(world: World) -> None:
    world.run("init", "shed")
    shutil.rmtree(world.root / "repositories" / "shed")
    world.program(
        "env", f"RESTIC_REPOSITORY={world.root}/repositories/shed",
        f"RESTIC_PASSWORD_FILE={world.root}/secrets/restic", "restic", "init",
    )  # fmt: skip

    refused = world.run("verify", "shed")

    assert (refused.code, "BKP034" in refused.err) == (1, True)
    assert world.run("init", "shed", "--adopt").code == 0
    assert world.run("verify", "shed").code == 0


def test_a_second_password_opens_it(world: World) -> None:
    second = world.root / "second"
    second.write_text("kept elsewhere\n")

    done = world.run("init", "shed", "--second-password", str(second))

    assert done.code == 0, done.err
    shutil.copy(second, world.root / "secrets" / "restic")
    assert world.run("verify", "shed").code == 0


def test_an_unknown_name_is_refused(world: World) -> None:
    done = world.run("init", "shred")

    assert (done.code, "its names: shed" in done.err) == (1, True)
