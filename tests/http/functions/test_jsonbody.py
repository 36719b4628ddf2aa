import pytest

from pgcredits.http.errors import ApiError
from pgcredits.http.functions import jsonbody

pytestmark = pytest.mark.one_version


def test_values_stay_as_they_came() -> None:
    body = jsonbody.parse(
        b'{"a": 0.10000000000000000001, "b": 1e400, "c": {"d": [1.50]}, "a": 12345678901234567890}'
    )
    assert body.members == {"a": "12345678901234567890", "b": "1e400", "c": '{"d": [1.50]}'}


@pytest.mark.parametrize("nothing", [b"", b"  \n"])
def test_missing_body_means_no_arguments(nothing: bytes) -> None:
    assert jsonbody.parse(nothing).members == {}


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"1",
        b'"x"',
        b"null",
        b"{",
        b'{"a":}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":1}x',
        b'{"a":"\xff"}',
        b'{"\xff":1}',
        b'{"a":"\x00"}',
        b"\x00",
        b"a=1",
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"\\ud800":1}',
    ],
)
def test_body_must_be_an_object(body: bytes) -> None:
    with pytest.raises(ApiError) as caught:
        jsonbody.parse(body)
    assert (caught.value.status, caught.value.code) == (400, "PGRST102")


@pytest.mark.parametrize(
    ("body", "slug"),
    [
        (b'{"idempotency_key": "a\\u0000b"}', "bad_key"),
        (b'{"module_id": "\\u0000"}', "bad_text"),
        (b'{"metadata": {"deep": ["x\\\\\\u0000"]}}', "bad_text"),
        (b'{"a\\u0000": 1}', "bad_text"),
    ],
)
def test_nul_is_refused(body: bytes, slug: str) -> None:
    with pytest.raises(ApiError) as caught:
        jsonbody.parse(body)
    assert (caught.value.status, caught.value.slug) == (422, slug)


def test_a_backslash_before_u0000_is_text() -> None:
    assert jsonbody.parse(b'{"a": "\\\\u0000"}').members == {"a": '"\\\\u0000"'}


def test_picking_renames() -> None:
    body = jsonbody.parse(b'{"userId": "x\\"y", "tokens": 1.50}')
    picked = body.pick({"user_id": "userId", "amount": "tokens", "gone": "missing"})
    assert picked.text == '{"user_id":"x\\"y","amount":1.50}'
    assert picked.string("user_id") == 'x"y'
    assert picked.string("amount") is None


def test_more_members_than_any_function_takes_are_refused() -> None:
    with pytest.raises(ApiError) as caught:
        jsonbody.parse(b"{" + b",".join(b'"a%d":1' % number for number in range(1001)) + b"}")
    assert (caught.value.status, caught.value.code) == (400, "PGRST102")
