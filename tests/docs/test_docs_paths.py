"""What the documentation names is there: files, folders, headings, tests, and functions of the database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from callers import Connection

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [page for folder in ("docs", "sql", "bench") for page in (ROOT / folder).rglob("*.md")]
    + list(ROOT.glob("*.md"))
)
FOLDERS = ("sql", "api", "migrations", "tests", "docs", "bench", ".ci")
README_LINES = 130
INVENTED = {"shop.sql", "api.extra", "test_means_ignore_missing_numbers"}  # by an example


def prose(text: str, but: str = "nothing") -> str:
    """The text without its blocks of code, but for those of one language."""
    return re.sub(rf"^ *```(?!{but}\n).*?^ *```$", "", text, flags=re.S | re.M)


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives a page's headings."""
    headings = re.findall(r"^#+ (.+)$", prose(page.read_text()), re.M)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


def broken_links(page: Path, text: str) -> Iterator[str]:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(text)):
        if re.match(r"https?://", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            yield target


def missing_paths(page: Path, text: str) -> Iterator[str]:
    """Paths set as code, from the repository's root or from the page's folder. * and NAME are any name."""
    tops = {*FOLDERS, *(child.name for child in page.parent.glob("*/"))}
    for found in re.findall(r"`([\w.*-]+(?:/[\w.*-]+)*/?)`", prose(text)):
        path = found.replace("NAME", "*").rstrip("/")
        if "/" in path and path.split("/")[0] in tops:
            known = any(any(root.glob(path)) for root in (ROOT, page.parent))
        elif re.fullmatch(r"[\w-]+\.(sql|py|md|toml)", path):
            known = (ROOT / path).exists() or any(any((ROOT / f).rglob(path)) for f in FOLDERS)
        else:
            known = True
        if not known and path not in INVENTED:
            yield found


def missing_tests(text: str) -> Iterator[str]:
    """Tests and files of tests that are named and are nowhere."""
    known = {name for path in (ROOT / "tests").rglob("*.py") for name in [path.stem, *defined(path)]}
    for name in re.findall(r"(?<![.\w])test_(?!clock)\w+", text):
        if name not in known | INVENTED:
            yield name


def defined(path: Path) -> list[str]:
    return re.findall(r"^(?:async )?def (test_\w+)", path.read_text(), re.M)


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_page_names_what_exists(page: Path) -> None:
    text = page.read_text()
    assert list(broken_links(page, text)) == []
    assert list(missing_paths(page, text)) == []
    assert list(missing_tests(text)) == []


def test_stale_names_are_found() -> None:
    page = ROOT / "docs" / "page.md"
    links = "[a](../sql/gone.sql) [b](../README.md#gone) [c](#gone) [d](../README.md#two-commands)"
    page_text = (ROOT / "README.md").read_text() + links
    assert list(broken_links(ROOT / "README.md", page_text))[-4:][0] == "../sql/gone.sql"
    assert list(missing_paths(page, "`sql/gone.sql` `gone.py` `sql/credits/` `tests/sql/test_*.py`")) == [
        "sql/gone.sql",
        "gone.py",
    ]
    assert list(missing_tests("test_of_nothing_at_all, test_docs_paths, test_stale_names_are_found")) == [
        "test_of_nothing_at_all"
    ]


def test_database_has_what_the_pages_name(db: Connection) -> None:
    """`credits.name`, `api.name` and so on, in text and in examples."""
    known = {
        ".".join(row)
        for row in db.execute(
            "select pronamespace::regnamespace::text, proname::text from pg_proc"
            " union select relnamespace::regnamespace::text, relname::text from pg_class"
            " union select typnamespace::regnamespace::text, typname::text from pg_type"
        )
    }
    named = {
        (str(page.relative_to(ROOT)), name)
        for page in PAGES
        for name in re.findall(
            r"(?<![\w/.-])(?:api|credits|audit|analytics)\.[a-z]\w+(?![\w.]*\.\w)",
            prose(page.read_text(), but="sql"),
        )
    }
    assert len(named) > 50
    assert {(page, name) for page, name in named if name not in known | INVENTED and name[-1] != "_"} == set()


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= README_LINES
