"""Which places of host.yaml differ, and one description laid over another in part."""

from hypothesis import given
from hypothesis import strategies as st

from emily_infra.plan.fields import Edit, described, edits, laid_over, plain, sparse
from emily_infra.plan.model import FieldChange, Sign
from emily_infra.spec.host import Host
from emily_infra.spec.tree import Data
from tests.hosts import over, pebble, shipped

_WORDS = st.text("abc", min_size=1, max_size=2)
_LEAVES = st.none() | st.booleans() | st.integers(2, 9) | _WORDS
_DATA: st.SearchStrategy[Data] = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4).map(tuple) | st.dictionaries(_WORDS, inner, max_size=4)
    ),
    max_leaves=20,
)


def changes(old: Host, new: Host) -> list[FieldChange]:
    before, after = sparse(old.spec), sparse(new.spec)
    return [described(each, before, after) for each in edits(plain(old.spec), plain(new.spec))]


@given(_DATA, _DATA)
def test_all_edits_together_make_the_new_from_the_old(old: Data, new: Data) -> None:
    assert laid_over(old, list(edits(old, new))) == new


@given(_DATA, _DATA, st.randoms())
def test_any_part_of_the_edits_can_be_made(old: Data, new: Data, chance: object) -> None:
    chosen: list[Edit] = [e for e in edits(old, new) if chance.random() < 0.5]  # type: ignore[attr-defined]

    laid_over(old, chosen)


def test_what_is_said_although_it_is_the_default_is_no_change() -> None:
    said = pebble("network: { uplinks: { lan: { mtu: 1500 } } }")

    assert changes(pebble(), said) == []


def test_a_changed_number_is_shown_with_its_unit() -> None:
    more = pebble("system: { memory: { arc: 7GiB } }")

    assert changes(pebble(), more) == [
        FieldChange("system.memory.arc", Sign.CHANGED, "6GiB", "7GiB")
    ]


def test_a_new_dataset_is_one_change_without_its_defaults() -> None:
    more = pebble("storage: { pools: { tank: { datasets: { media: { mountpoint: /m } } } } }")

    assert changes(pebble(), more) == [
        FieldChange("storage.pools.tank.datasets.media", Sign.ADDED, "", "{ mountpoint: /m }")
    ]


def test_a_line_of_allow_that_goes_takes_no_other_with_it() -> None:
    ember = shipped("ember")
    fewer = over(
        ember,
        """
        network:
          allow:
            - { from: management, to: host, services: [ssh, grafana] }
            - { from: data, to: host, services: [smb] }
            - { from: ai, to: host, services: [runtime] }
            - { from: minnesota, to: host, services: [ssh, smb] }
        """,
    )

    (change,) = changes(ember, fewer)

    assert (change.sign, change.place) == (Sign.REMOVED, "network.allow[1]")


def test_a_service_that_comes_to_a_line_is_told_by_itself() -> None:
    more = pebble("network: { allow: [{ from: home, to: host, services: [ssh, smb, https] }] }")

    assert changes(pebble(), more) == [
        FieldChange("network.allow[0].services[2]", Sign.ADDED, "", "https")
    ]


def test_a_secret_that_stands_where_it_must_not_is_starred_out() -> None:
    leaky = pebble("""
        acknowledge:
          - { code: STO001, at: storage, reason: the key is AKIAABCDEFGHIJKLMNOP }
        """)

    (change,) = changes(pebble(), leaky)

    assert "AKIA" not in change.new
