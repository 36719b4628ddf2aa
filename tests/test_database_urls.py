"""Database URLs, put together and taken apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from support import PASSWORD

from pgcredits.database_urls import as_login, as_user, database_url

pytestmark = pytest.mark.one_version


@pytest.mark.parametrize(
    ("host", "port"), [("db.example", 5432), ("::1", 5432), ("/var/run/pg socket", 6000), ("a,b", "1,2")]
)
def test_url_means_its_parts(host: str, port: int | str) -> None:
    url = database_url(host, port, "my db", "us er@", "p/w:%ä&", sslmode="require")
    assert conninfo_to_dict(url) == {
        "host": host,
        "port": str(port),
        "dbname": "my db",
        "user": "us er@",
        "password": "p/w:%ä&",
        "sslmode": "require",
    }


def test_login_of_a_url_can_be_replaced() -> None:
    url = as_login("host=db port=7 dbname=shop user=admin password=x sslmode=verify-full", "analyst", "y")
    assert url == "postgresql://analyst:y@db:7/shop?sslmode=verify-full"


@pytest.mark.parametrize("subject", ["ada", "auth0|1", 'O\'Neil \\ "ä" & co', "$(id)"])
def test_a_user_url_acts_as_the_user(api_url: str, subject: str) -> None:
    with psycopg.connect(as_user(api_url, subject)) as connection:
        row = connection.execute(
            "select session_user, current_user, current_setting('request.jwt.claims')::json ->> 'sub'"
        ).fetchone()
        assert row == ("pgcredits_api", "authenticated", subject)
        shown = connection.execute("select user_id, balance from api.balance").fetchone()
        assert shown == (subject, 0)


def test_connect_as_acts_as_the_api_does(connect_as: Callable[..., psycopg.Connection[Any]]) -> None:
    connect_as("service_role").execute("select api.add_tokens(user_id => 'ada', tokens => 5)")
    assert connect_as("authenticated", "ada").execute("select balance from api.balance").fetchone() == (5,)
    assert connect_as("authenticated", "bob").execute("select balance from api.balance").fetchone() == (0,)
    assert connect_as("pgcredits_auditor").execute("select session_user, current_user").fetchone() == (
        "pgcredits_auditor",
        "pgcredits_auditor",
    )
    assert PASSWORD in str(connect_as("anon").info.password)
