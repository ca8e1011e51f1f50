"""The options under a field that has changed, as the real Nix tells of them."""

from emily_infra.cli.options_text import folded
from emily_infra.plan.model import OptionChange, Sign
from tests.cli.test_planned import text
from tests.hosts import pebble
from tests.plan.machines import with_nix


def option(name: str, sign: Sign = Sign.ADDED) -> OptionChange:
    return OptionChange(name, sign, (), ("1",))


def test_the_field_stands_over_its_options() -> None:
    made = with_nix(pebble(), pebble("system: { ssh: { port: 2222 } }"))

    assert (
        "  ~ system.ssh.port: 22 -> 2222\n"
        "      generated/network.nix\n"
        "        ~ networking.nftables.tables.emily.content\n"
        "            - tcp dport { 22, 445 } accept\n"
        "            + tcp dport { 445, 2222 } accept\n"
        "      generated/system.nix\n"
        "        ~ services.openssh.ports: 22 -> 2222\n"
    ) in text(made)


def test_a_group_of_new_options_is_one_line() -> None:
    group = [option(f"services.samba.settings.w.{name}") for name in "abc"]

    assert [(name, len(found)) for name, found in folded([*group, option("a.b.c")])] == [
        ("services.samba.settings.w", 3),
        ("a.b.c", 1),
    ]


def test_options_that_change_are_never_folded_away() -> None:
    group = [option(f"a.b.c.{name}", Sign.CHANGED) for name in "abcd"]

    assert len(list(folded(group))) == 4
