"""The reference is fresh, and the site builds with every link leading somewhere."""

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.hosts import ROOT


class Page(HTMLParser):
    """The links and the anchors of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text())

    def handle_starttag(self, _: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note every link to somewhere and every place that can be linked to."""
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.links.append(value)
            if name in ("id", "name") and value:
                self.anchors.add(value)


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", *arguments]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")

    done = _python("mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder))

    assert done.returncode == 0, done.stderr
    return folder


def test_the_reference_is_what_the_code_says() -> None:
    done = _python("scripts.reference", "--check")

    assert done.returncode == 0, done.stderr


def test_every_link_of_the_site_leads_somewhere(site: Path) -> None:
    pages = {path: Page(path) for path in site.rglob("*.html") if path.name != "404.html"}

    dead = [
        f"{path.relative_to(site)} -> {link}"
        for path, page in pages.items()
        for link in page.links
        if not _leads_somewhere(path, link, pages)
    ]

    assert dead == []


def test_the_site_asks_no_other_host_for_anything(site: Path) -> None:
    pages = [Page(path) for path in site.rglob("*.html")]

    outside = {link for page in pages for link in page.links if urlsplit(link).netloc}

    assert outside == set()


def _leads_somewhere(path: Path, link: str, pages: dict[Path, Page]) -> bool:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if parts.fragment and target in pages:
        return unquote(parts.fragment) in pages[target].anchors
    return target.exists()
