"""What the proxy tags its charges with."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pgcredits.client.litellm.tagging import tagger_of, tags_of

pytestmark = pytest.mark.one_version

KEY = SimpleNamespace(key_alias="backend \x1b7", team_id="team-1")


def test_tags_are_those_that_the_option_names() -> None:
    data: dict[str, Any] = {
        "model": "gpt-4o",
        "litellm_metadata": {"tags": ["job:42", "model:other", 7, ":x"]},
    }
    tags = tags_of(tagger_of(("model", "key_alias", "team_id", "request")), KEY, data)
    assert tags == {"model": "gpt-4o", "key_alias": "backend 7", "team_id": "team-1", "job": "42"}
    assert tags_of(tagger_of(()), KEY, data) == {}
    assert tags_of(tagger_of(("model", "team_id")), SimpleNamespace(), {}) == {}


def test_a_function_may_say_more_than_the_bank_takes() -> None:
    many = {f"t{n}": "x" * 200 for n in range(9)} | {"t0": 1, "odd name": "x"}
    tags = tags_of(tagger_of(lambda key, data: many), KEY, {})
    assert tags == {f"t{n}": "x" * 100 for n in range(1, 9)}
    assert tags_of(tagger_of(lambda key, data: None), KEY, {}) == {}


@pytest.mark.parametrize("option", ["model", ("model", "user")])
def test_other_names_are_refused(option: Any) -> None:
    with pytest.raises(ValueError, match="tags are some of model, key_alias"):
        tagger_of(option)
