"""The pages keep to the rules for words of CONTRIBUTING.md: one word, one meaning, and no riddles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from docs import reference
from docs.test_docs_paths import PAGES, ROOT

pytestmark = pytest.mark.one_version

RIDDLES = {
    r"\bdoors?\b": "the HTTP API",
    r"\bcatalogues?\b": "catalog, and only for a price list",
    r"\bwhoever\b": "anyone who, or the actor's name",
    r"\b(is|are) none\b": "is not a …, or there is no …",
    r"\b(is|are) nobody's\b": "belongs to nobody",
    r"\bfor good\b": "for ever, or never changes",
    r"\bfor want of\b": "for lack of",
    r"\blets? go\b": "frees, or releases",
    r"\b(told|tells?) again\b": "repeats",
    r"\b(short|long) way\b": "by the permit, or with all checks",
    r"\bcalls? for (nothing|anything)\b": "has no other effect",
    r"\bwithout a look\b": "without checking",
    r"\bnothing said\b": "left out",
    r"\bas if of\b|\bone('s|self)\b": "the caller's own, themselves",
}


def riddles(text: str) -> Iterator[str]:
    """Words of the pages that are not in code, in quotation marks or in the name of something."""
    plain = re.sub(r"^ *```.*?^ *```$|`[^`]*`|\"[^\"]*\"|\]\([^)]*\)", "", text, flags=re.S | re.M)
    for pattern in RIDDLES:
        yield from (found[0] for found in re.finditer(pattern, plain, re.I))


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_page_has_no_riddles(page: Path) -> None:
    text = page.read_text()
    if page == reference.PAGE:  # the rest is made from the comments of the database
        text = text.split(reference.MARK)[0]
    assert dict.fromkeys(riddles(text), RIDDLES) == {}


@pytest.mark.parametrize(
    "text",
    [
        *("The door says so.", "a key that is none", "Whoever asks", "a catalogue", "closed for good"),
        *("It lets go of tokens.", "refused for want of tokens", "the long way", "Nothing said: one call."),
    ],
)
def test_riddles_are_found(text: str) -> None:
    assert list(riddles(text))
    assert not list(riddles(f'"{text}" and `{text}`'))
