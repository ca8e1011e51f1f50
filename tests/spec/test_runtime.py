"""What an operator writes of the runtime is refused at its place, before any rule looks at it."""

import pytest

from emily_infra.findings import Finding
from emily_infra.spec.load import parse
from emily_infra.spec.runtime import server_address
from tests.hosts import ROOT

EMBER = (ROOT / "hosts" / "ember" / "host.yaml").read_text()
FLAGS = EMBER[EMBER.index("  flags:\n    tree-planner") : EMBER.index("\nsecrets:")]
MODEL = "providers: { openai: { model: m, price: { read: 1, written: 1 }, url: URL } }"
DATABASE = "postgresql: { url: 'URL' }"


def faults(written: str) -> list[Finding]:
    """What is wrong with ember when this stands in place of its flags."""
    text = EMBER.replace(FLAGS, f"  {written}\n")
    return parse("ember", "hosts/ember/host.yaml", text.encode())[1]


def flag(settings: str) -> str:
    return f"flags: {{ tree: {{ owner: colter, since: 2026-11-01, {settings} }} }}"


@pytest.mark.parametrize(
    ("written", "says"),
    [
        (flag("share: 101"), "share is 101; it must be at most 100"),
        (flag("share: -0.5"), "share is -0.5; it must be at least 0"),
        (flag("share: 12.345"), "12.345 is finer than a hundredth of a percent"),
        (flag("share: half"), "share wants a number, not 'half'"),
        (flag("share: true"), "share wants a number, not true"),
        (flag("killed: 1"), "killed wants true or false, not 1"),
        ("flags: { tree: { owner: colter, since: Sunday } }", "'Sunday' is not a date"),
        ("flags: { tree: { since: 2026-11-01 } }", "tree lacks owner"),
        ("flags: { Tree: {} }", "'Tree' is not a name"),
        ("order: []", "order has 0 of at least 1 entries"),
        ("order: [claude]", "order[0] wants another word, not 'claude'"),
        ("pressure: { rungs: [5, 15, 30] }", "rungs has 3 of at least 4 entries"),
        ("pressure: { rungs: [5, 15, 30, 101] }", "rungs[3] is 101; it must be at most 100"),
        ("limits: { patience: 11min }", "patience is '11min'; it must be at most 10min"),
        ("limits: { concurrency: 0 }", "concurrency is 0; it must be at least 1"),
        ("budgets: { hour: 1 }", "budgets is not a key of runtime"),
        (MODEL.replace("URL", "'ftp://h/'"), "this is not an address without a password"),
        (DATABASE.replace("URL", "host=h"), "this is not an address of PostgreSQL without"),
    ],
)
def test_a_value_that_the_service_would_not_take_is_refused(written: str, says: str) -> None:
    found = [each for each in faults(written) if says in each.message]

    assert found, [each.message for each in faults(written)]
    assert found[0].location.text.strip().partition(":")[0] == written.partition(":")[0]
    assert found[0].hint


@pytest.mark.parametrize(
    "written",
    [
        "postgresql: { url: 'postgresql://emily:hunter22@h/emily' }",
        "postgresql: { url: 'postgresql://emily@h/emily?password=hunter22' }",
        "postgresql: { url: 'postgresql://emily@h/emily?sslpassword=hunter22' }",
        MODEL.replace("URL", "'https://u:hunter22@h/v1'"),
        MODEL.replace("url: URL", "key: hunter22"),
    ],
)
def test_a_password_in_the_clear_is_refused_and_not_repeated(written: str) -> None:
    found = faults(written)

    assert found
    assert "hunter22" not in "".join(f"{each.message}{each.hint}{each.location}" for each in found)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:8000/v1", "127.0.0.1"),
        ("http://localhost", "127.0.0.1"),
        ("postgresql://emily@[fd00::5]:5432/emily", "fd00::5"),
        ("https://api.example.org", None),
        ("http://[fd00::5::6]/", None),
        ("", None),
    ],
)
def test_a_server_has_an_address_or_a_name(url: str, address: str | None) -> None:
    found = server_address(url)

    assert (str(found) if found else None) == address
