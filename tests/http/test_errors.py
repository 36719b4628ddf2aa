import psycopg
import pytest
from litestar.exceptions import ClientException, HTTPException, InternalServerException

from pgcredits.http.errors import ApiError, refuse, understand

pytestmark = pytest.mark.one_version


class Raised(psycopg.Error):
    def __init__(self, sqlstate: str) -> None:
        super().__init__("names, rows and secrets")
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("sqlstate", "status"),
    [
        ("PT402", 402),
        ("PT418", 418),
        ("08006", 503),
        ("09000", 500),
        ("0LP01", 403),
        ("0P000", 403),
        ("21000", 500),
        ("23502", 400),
        ("23503", 409),
        ("23505", 409),
        ("23514", 400),
        ("25006", 405),
        ("25P02", 500),
        ("28000", 403),
        ("2D000", 500),
        ("38000", 500),
        ("39000", 500),
        ("3B000", 500),
        ("40001", 503),
        ("40P01", 503),
        ("42501", 403),
        ("42601", 400),
        ("42703", 400),
        ("42883", 404),
        ("42P01", 404),
        ("42P17", 500),
        ("53100", 503),
        ("53300", 503),
        ("53400", 500),
        ("54001", 413),
        ("54023", 400),
        ("55000", 500),
        ("55P03", 503),
        ("57014", 503),
        ("57P01", 503),
        ("57000", 500),
        ("58030", 500),
        ("F0000", 500),
        ("HV000", 500),
        ("P0001", 400),
        ("P0002", 500),
        ("P0004", 500),
        ("XX000", 500),
        ("PT200", 400),
        ("PT999", 400),
        ("ZZ000", 400),
    ],
)
def test_sqlstates_have_their_http_statuses(sqlstate: str, status: int) -> None:
    error = understand(Raised(sqlstate), anonymous=False)
    assert (error.status, error.code) == (status, sqlstate)
    assert "secrets" not in str(error.body())
    assert ("Retry-After" in error.headers) == (status == 503)


@pytest.mark.parametrize(
    ("sqlstate", "slug"),
    [
        *(
            (s, "bad_argument")
            for s in ("22003", "22007", "22008", "22012", "22015", "22023", "22P02", "2201X")
        ),
        ("22021", "bad_text"),
        ("22P05", "bad_text"),
    ],
)
def test_postgresqls_words_about_a_value_stay_inside(sqlstate: str, slug: str) -> None:
    error = understand(Raised(sqlstate), anonymous=False)
    assert (error.status, error.code, error.slug) == (422, "PT422", slug)
    assert "secrets" not in str(error.body())


def test_an_error_of_psycopg_itself_is_ours_and_not_an_outage() -> None:
    for error, status in (
        (psycopg.ProgrammingError("the query has 0 placeholders but 1 parameters were passed"), 500),
        (psycopg.InterfaceError("cursor closed"), 500),
        (psycopg.NotSupportedError("client-side"), 500),
        (psycopg.OperationalError("server closed the connection unexpectedly"), 503),
    ):
        seen = understand(error, anonymous=False)
        assert (seen.status, seen.slug) == (status, "internal" if status == 500 else "unavailable")


def test_missing_permission_is_401_or_403() -> None:
    assert understand(Raised("42501"), anonymous=False).status == 403
    error = understand(Raised("42501"), anonymous=True)
    assert (error.status, error.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_uncaught_nul_is_refused() -> None:
    assert (
        understand(psycopg.DataError("PostgreSQL text fields cannot contain NUL"), anonymous=True).slug
        == "bad_text"
    )


@pytest.mark.parametrize(
    "error",
    [ValueError("secret"), KeyError("secret"), InternalServerException("secret"), RecursionError("secret")],
)
def test_unexpected_errors_reveal_nothing(error: Exception) -> None:
    seen = understand(error, anonymous=True)
    assert (seen.status, seen.slug) == (500, "internal")
    assert "secret" not in str(seen.body())


def test_errors_of_litestar_have_our_shape() -> None:
    seen = understand(ClientException("cannot read this"), anonymous=True)
    assert seen.body() == {
        "code": "PT400",
        "message": "cannot read this",
        "details": '{"error": "bad_request"}',
        "hint": None,
    }
    gone = understand(HTTPException(status_code=404), anonymous=True)
    assert gone.code == "PGRST125"


def test_facts_follow_the_slug() -> None:
    error = refuse(409, "order_closed", "closed", state="paid")
    assert error.details == '{"error": "order_closed", "state": "paid"}'
    assert error.slug == "order_closed"
    assert ApiError(400, "X", "x", details="text").slug is None
