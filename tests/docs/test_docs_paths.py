"""Everything that the documentation names exists: files, folders, headings, tests, database functions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from callers import Connection

pytestmark = pytest.mark.one_version

ROOT = Path(__file__).parents[2]


def ours(folder: str, names: str) -> Iterator[Path]:
    """The files of a folder, without the packages that npm installs in it."""
    return (path for path in (ROOT / folder).rglob(names) if "node_modules" not in path.parts)


PAGES = sorted(
    [page for folder in ("docs", "sql", "bench", "api") for page in ours(folder, "*.md")]
    + list(ROOT.glob("*.md"))
)
FOLDERS = ("sql", "api", "migrations", "tests", "docs", "bench", ".ci")
README_LINES = 145
SCREEN = 45  # lines
INVENTED = {
    "shop.sql",
    "api.extra",
    "audit.check_gifts",
    "test_means_ignore_missing_numbers",
}  # by an example


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


def lost_files(page: Path, text: str) -> Iterator[str]:
    """Names of source files that a reader must search for: no link, and no path from the root or the page."""
    bare = re.sub(r"\[[^\]]*\]\([^)]*\)", "", prose(text))
    for found in re.findall(r"`([\w./-]+\.(?:sql|py))`", bare):
        path = found.replace("NAME", "*")
        if not any(any(root.glob(path)) for root in (ROOT, page.parent)):
            yield found


def missing_tests(text: str) -> Iterator[str]:
    """Names of tests and test files that do not exist."""
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
    assert list(lost_files(page, text)) == []
    assert list(missing_tests(text)) == []


def test_stale_names_are_found() -> None:
    page = ROOT / "docs" / "page.md"
    links = "[a](../sql/gone.sql) [b](../README.md#gone) [c](#gone) [d](../README.md#two-commands)"
    page_text = (ROOT / "README.md").read_text() + links
    assert list(broken_links(ROOT / "README.md", page_text))[-4:][0] == "../sql/gone.sql"
    assert list(missing_paths(page, "`sql/gone.sql` `gone.py` `sql/credits/` `tests/sql/*/test_*.py`")) == [
        "sql/gone.sql",
        "gone.py",
    ]
    assert list(
        lost_files(page, "`holds.sql` `sql/access.sql` [`holds.sql`](../sql/x.sql) `concepts.py`")
    ) == [
        "holds.sql",
        "concepts.py",
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


def test_readme_of_sql_lists_what_is_in_the_folder() -> None:
    (beginning, *_) = (ROOT / "sql" / "README.md").read_text().split("\n## ")
    table = re.findall(r"^\| `([\w.]+)/?` \|", beginning, re.M)
    assert sorted(table) == sorted(path.name for path in (ROOT / "sql").iterdir() if path.name != "README.md")


def test_readme_shows_a_payment_page_at_a_port_that_up_listens_on() -> None:
    text = (ROOT / "README.md").read_text()
    ((first, last),) = re.findall(r"at ports (\d+) to (\d+)", text)
    (shown,) = re.findall(r"http://127\.0\.0\.1:(\d+)/pay/", text)
    assert int(first) <= int(shown) <= int(last)


def stale_comments(source: str, known: set[str]) -> Iterator[str]:
    """Names of files in comments of SQL, Python, make and TOML that do not exist."""
    for comment in re.findall(r"(?:--|#|\"\"\")(.*)", source):
        for name in re.findall(r"(?<![\w/.*])[\w./-]*\w\.(?:md|sql|py)\b(?!\.)", comment):
            if not any(path.endswith("/" + name.lstrip("./")) for path in known):
                yield name


def test_comments_name_files_that_exist() -> None:
    files = [path for folder in FOLDERS for path in ours(folder, "*.*")]
    files += [path for path in ROOT.glob("*") if path.is_file()]
    known = {"/" + str(path.relative_to(ROOT)) for path in files}
    sources = [path for path in files if path.suffix in (".sql", ".py", ".toml") or path.name == "Makefile"]
    assert len(sources) > 400
    stale = {
        str(path.relative_to(ROOT)): names
        for path in sources
        if path not in (Path(__file__), ROOT / "tests" / "sql" / "rules" / "schema.sql")
        if (names := list(stale_comments(path.read_text(), known)))
    }
    assert stale == {}
    assert list(stale_comments("-- see gone.sql, sql/here.sql and here.sql", {"/sql/here.sql"})) == [
        "gone.sql"
    ]


# What a newcomer must find from the README alone: the file behind a row's first link, and its words.
WISHES = {
    "see what happens when a token is spent": ("sql/api/consume_tokens.sql", "Lock the wallet"),
    "see where a refund of usage goes back to": (
        "docs/concepts.md",
        "into the lots that repaid it",
    ),
    "see what stops two requests from spending the same token": (
        "docs/concepts.md",
        "locks the wallet's row before",
    ),
    "set prices, packs and price dimensions": ("docs/price-lists.md", "credits.define_dimension"),
    "add a reconciliation check": ("CONTRIBUTING.md", "Write `sql/audit/check_NAME.sql`"),
}


@pytest.mark.parametrize("wish", WISHES)
def test_readme_leads_to_the_answer(wish: str) -> None:
    file, answer = WISHES[wish]
    (row,) = re.findall(rf"^\| {re.escape(wish)} \| (.*) \|$", (ROOT / "README.md").read_text(), re.M)
    (link, *_) = re.findall(r"\]\(([^)#]+)", row)
    assert link == file
    assert answer in " ".join((ROOT / file).read_text().split())


def test_decisions_are_listed_and_fit_on_a_screen() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"^- \[.*\]\((.*)\)$", (folder / "README.md").read_text(), re.M)
    assert sorted([*listed, "README.md"]) == sorted(path.name for path in folder.iterdir())
    for name in listed:
        assert len((folder / name).read_text().splitlines()) <= SCREEN, name
