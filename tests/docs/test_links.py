"""Links lead somewhere."""

from __future__ import annotations

import pytest
from markdown import PAGES, ROOT, Page


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_link_within_the_repository_leads_somewhere(page: Page) -> None:
    """A relative link names a file that is there, and its fragment a heading of that page."""
    for target in page.links:
        if "://" in target:
            continue
        name, _, fragment = target.partition("#")
        path = (page.path.parent / name).resolve() if name else page.path
        assert path.is_file(), f"{page}: {target}"
        assert path.is_relative_to(ROOT), f"{page}: {target} leads out of the repository"
        if fragment:
            assert fragment in Page(path).anchors, f"{page}: {target}"


def test_the_index_leads_to_every_page() -> None:
    """No page of docs/ can only be found by those who know its name."""
    index = Page(ROOT / "docs/index.md")
    linked = {(index.path.parent / target.partition("#")[0]).resolve() for target in index.links}
    assert {page.path for page in PAGES} - {index.path} <= linked


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_no_heading_comes_twice(page: Page) -> None:
    """Anchors without a number stay what they are when a section is added, but for the requests of two versions."""
    doubled = {anchor for anchor in page.anchors if anchor.removesuffix("-1") in page.anchors - {anchor}}
    assert doubled <= {"request-1", "reply-1"}
