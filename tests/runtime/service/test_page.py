"""The operator's page in a real browser."""

import re
from collections.abc import Iterator
from importlib.resources import files

import pytest

from emily_runtime.service.page import policy
from tests.runtime.process import TOKEN
from tests.runtime.service.browser import CHROMIUM, Tab, tab
from tests.runtime.service.served import Served

HTML = files("emily_runtime.service").joinpath("page.html").read_text(encoding="utf-8")
needs_chromium = pytest.mark.skipif(not CHROMIUM, reason="no chromium")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with tab(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture
def page(browser: Tab, running: Served) -> Tab:
    """The page, freshly opened, without a token."""
    browser.open(f"http://127.0.0.1:{running.port}/")
    browser.js("sessionStorage.clear()")
    browser.open(f"http://127.0.0.1:{running.port}/?")
    browser.complaints.clear()
    browser.asked.clear()
    return browser


def enter(page: Tab, token: str = TOKEN) -> None:
    page.until("document.activeElement.id === 'token'")
    page.type(token)
    page.press("Enter")


def board(page: Tab) -> None:
    enter(page)
    page.until("document.getElementById('rss').textContent !== ''")


def test_it_is_allowed_its_own_script_and_style_and_nothing_else() -> None:
    rules = dict(rule.split(" ", 1) for rule in policy(HTML).split("; "))

    assert rules["default-src"] == "'none'"
    assert re.fullmatch(r"'sha256-[^ ]+'", rules["script-src"])
    assert re.fullmatch(r"'sha256-[^ ]+'", rules["style-src"])
    assert rules["connect-src"] == "'self'"
    assert "unsafe" not in policy(HTML)


def test_it_needs_nothing_from_elsewhere() -> None:
    assert not re.search(r"""(src|href)=["'](?!data:,|#)""", HTML)
    assert "innerHTML" not in HTML


def test_both_languages_say_the_same_things() -> None:
    english, korean = re.findall(r"\n  (?:en|ko): \{(.*?) \}[ ,]", HTML, re.DOTALL)

    def words(text: str) -> set[str]:
        return set(re.findall(r'(?:, |^ |\n    )([a-z0-9]+|"[a-z-]+"): ', text))

    assert len(words(english)) > 40
    assert words(english) == words(korean)


@needs_chromium
def test_with_the_token_the_figures_are_there_and_stay_live(page: Tab) -> None:
    board(page)
    page.until("document.querySelectorAll('#rss-line polyline')[0].points.length > 1")

    text = page.text()

    assert "All is well" in text
    assert "Episodes: 34,567 (sqlite)" in text
    assert "$8.70" in text
    assert "norepinephrine: alertness" in text
    assert "the door of rack 4 is open" in text
    assert page.complaints == []
    assert all("127.0.0.1" in address for address in page.asked)


@needs_chromium
def test_a_wrong_token_is_told_and_asked_for_again(page: Tab) -> None:
    enter(page, "not the token")

    page.until("document.getElementById('gate-alarm').textContent !== ''")

    assert "This token is wrong." in page.text()
    assert page.focus() == "token"


@needs_chromium
def test_the_token_is_asked_for_once_and_can_be_forgotten(page: Tab, running: Served) -> None:
    board(page)
    page.open(f"http://127.0.0.1:{running.port}/?again")
    page.until("document.getElementById('rss').textContent !== ''")

    page.js("document.getElementById('forget').click()")

    assert page.focus() == "token"
    assert page.js("sessionStorage.length") == 0


@needs_chromium
def test_what_is_said_goes_through_all_tiers_and_is_shown(page: Tab) -> None:
    board(page)
    page.js("document.getElementById('words').focus()")
    page.type("hello <b>there</b>")
    page.press("Enter")

    page.until("document.getElementById('reply').textContent.includes('yes')")
    page.until("document.getElementById('events').textContent.includes('hello <b>there</b>')")
    page.until("document.getElementById('actions').textContent.includes('90 %')")

    assert page.complaints == []


@needs_chromium
def test_trouble_is_in_words_in_the_headline(page: Tab, running: Served) -> None:
    board(page)
    running.say("ill the store is gone")
    page.until("document.getElementById('state').className === 'bad'")
    text = page.text()
    running.say("ill")

    assert "Something is wrong" in text
    assert "the store is gone" in text
    assert "journalctl" in text
    page.until("document.getElementById('state').className === 'good'")


@needs_chromium
@pytest.mark.parametrize("width", [400, 1600])
def test_nothing_hangs_over_the_edge(page: Tab, running: Served, width: int) -> None:
    page.open(f"http://127.0.0.1:{running.port}/?narrow", width=width)
    board(page)

    assert page.js("document.documentElement.scrollWidth") <= width


@needs_chromium
def test_it_speaks_korean_to_who_does(page: Tab, running: Served) -> None:
    page.open(f"http://127.0.0.1:{running.port}/?korean", language="ko")
    board(page)

    assert "모두 정상입니다" in page.text()
    assert page.js("document.documentElement.lang") == "ko"
    page.js("document.getElementById('language').click()")
    assert "All is well" in page.text()


@needs_chromium
def test_the_keyboard_reaches_everything_in_order(page: Tab) -> None:
    board(page)
    page.js("document.activeElement.blur()")

    reached = []
    for _ in range(6):
        page.press("Tab")
        reached.append(page.js("document.activeElement.id || document.activeElement.className"))

    order = [one for one in reached if one in ("skip", "language", "forget", "words")]
    assert "words" in order
    assert len(set(order)) >= 3


@needs_chromium
def test_a_screen_reader_finds_headings_names_and_the_state(page: Tab) -> None:
    board(page)

    spoken = page.spoken()
    roles = {role for role, _ in spoken}

    assert {"banner", "main", "status", "heading", "button", "textbox"} <= roles
    assert not [role for role, name in spoken if role in ("button", "textbox") and not name]
    assert ("heading", "Memory") in spoken


def test_the_policy_and_the_page_are_served_together(running: Served) -> None:
    answer = running.ask("/", Authorization="none")

    assert answer.headers["content-security-policy"] == policy(HTML)
    assert answer.text == HTML
