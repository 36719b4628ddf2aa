import pytest

from pgcredits.settings import Settings, SettingsError, stripe_prices

pytestmark = pytest.mark.one_version

GOOD = {
    "PGCREDITS_API_DATABASE_URL": "postgresql://api",
    "PGCREDITS_SERVICE_DATABASE_URL": "postgresql://service",
    "PGCREDITS_JWT_SECRET": "thirty-two bytes, as long as asked",
}
# As Stripe makes them, and as its command line does.
WEBHOOK = (f"whsec_{'5WbX5kEWLlfzsGNj' * 2}", f"whsec_{'0123456789abcdef' * 4}")
NO_KEYS = (
    " ",
    "x",
    "pk_test_x",
    "pk_live_x",
    "whsec_x",
    "sk_test_",
    "sk_org_x",
    "sk_test_x ",
    " sk_live_x",
    "sk_live_x\n",
)
GUESSED = (
    "x",
    "whsec_",
    "whsec_x",
    "w" * 64,
    "whsec_" + "w" * 64,
    "whsec_" * 8,
    f"{WEBHOOK[0]},x",
    "a JWT secret, quite long and random",
)


def test_settings_have_defaults_and_lists() -> None:
    settings = Settings.from_env(
        GOOD | {"STRIPE_WEBHOOK_SECRET": f"{WEBHOOK[0]}, {WEBHOOK[1]},", "PGCREDITS_PUBLIC_URL": "https://x/"}
    )
    assert settings.stripe_webhook_secrets == WEBHOOK
    assert settings.public_url == "https://x"
    assert settings.cors_origins == ()
    assert not settings.live


def test_checkout_does_only_what_is_listed() -> None:
    assert Settings.from_env(GOOD).checkout == frozenset()
    listed = Settings.from_env(GOOD | {"PGCREDITS_CHECKOUT": "tax, invoices,"})
    assert listed.checkout == {"tax", "invoices"}
    with pytest.raises(SettingsError, match=r"PGCREDITS_CHECKOUT takes some of .* not 'taxes'"):
        Settings.from_env(GOOD | {"PGCREDITS_CHECKOUT": "tax,taxes"})


@pytest.mark.parametrize("name", GOOD)
def test_missing_settings_are_named(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_env({key: value for key, value in GOOD.items() if key != name})


@pytest.mark.parametrize(
    ("unsafe", "message"),
    [
        *(
            ({name: secret}, message)
            for name in ("PGCREDITS_JWT_SECRET", "PGCREDITS_GUEST_SECRET")
            for secret, message in (
                ("x", f"{name} must be at least 32 bytes"),
                ("thirty-one bytes are not enough", f"{name} must be at least 32 bytes"),
                ("s" * 32, f"{name} must be random"),
                ("s" * 4096, f"{name} must be random"),
                ("secret" * 10, f"{name} must be random"),
                (" " * 40, f"{name} must be random"),
            )
        ),
        ({"STRIPE_SECRET_KEY": "sk_live_1", "STRIPE_API_BASE": "http://127.0.0.1:1"}, "STRIPE_API_BASE"),
        ({"STRIPE_SECRET_KEY": "rk_live_1", "STRIPE_API_BASE": "http://127.0.0.1:1"}, "STRIPE_API_BASE"),
        *(({"STRIPE_SECRET_KEY": key}, "STRIPE_SECRET_KEY must be") for key in NO_KEYS),
        *(
            (
                {"STRIPE_SECRET_KEY": "sk_live_1", "STRIPE_WEBHOOK_SECRET": secret},
                "STRIPE_WEBHOOK_SECRET must",
            )
            for secret in GUESSED
        ),
        *(
            ({"STRIPE_SECRET_KEY": key, "STRIPE_WEBHOOK_SECRET": secret}, "STRIPE_WEBHOOK_SECRET must")
            for key in ("", "sk_test_1")
            for secret in ("x", "whsec_", "whsec_x", f"{WEBHOOK[0]},x")
        ),
        ({"PGCREDITS_PUBLIC_URL": "javascript:alert(1)"}, "PGCREDITS_PUBLIC_URL"),
        ({"PGCREDITS_POOL_SIZE": "0"}, "PGCREDITS_POOL_SIZE"),
        ({"PGCREDITS_ANSWER_TIMEOUT": "0"}, "PGCREDITS_ANSWER_TIMEOUT"),
        ({"PGCREDITS_MAX_ROWS": "many"}, "PGCREDITS_MAX_ROWS"),
        *(
            ({name: value}, name)
            for name in ("PGCREDITS_TRUSTED_PROXIES", "PGCREDITS_SHARED_NETWORKS")
            for value in (
                "*",
                "10.0.0.1/8",
                "10.0.0.0/33",
                "proxy",
                "10.0.0.0/8;::1",
                "0.0.0.0/0",
                "10.0.0.1,::/0",
            )
        ),
    ],
)
def test_unsafe_settings_are_refused(unsafe: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Settings.from_env(GOOD | unsafe)


@pytest.mark.parametrize("key", ["sk_test_1", "sk_live_1", "rk_test_51aB", "rk_live_51_aB"])
def test_keys_of_stripe_are_accepted(key: str) -> None:
    settings = Settings.from_env(
        GOOD | {"STRIPE_SECRET_KEY": key, "STRIPE_WEBHOOK_SECRET": ",".join(WEBHOOK)}
    )
    assert (settings.live, settings.why_nothing_is_sold) == ("live" in key, None)


def test_secrets_are_not_in_the_repr() -> None:
    text = repr(
        Settings.from_env(
            GOOD
            | {
                "STRIPE_SECRET_KEY": "sk_test_1",
                "STRIPE_WEBHOOK_SECRET": WEBHOOK[0],
                "PGCREDITS_GUEST_SECRET": "a guest secret, and long enough too",
            }
        )
    )
    assert not any(
        secret in text for secret in ("thirty-two", "guest secret", "sk_test_1", WEBHOOK[0], "postgresql://")
    )


@pytest.mark.parametrize(
    ("text", "prices"),
    [
        (None, {}),
        ("", {}),
        (" , ", {}),
        ("a=price_1", {"a": "price_1"}),
        (" a = price_1 ,b=price_1,, a=price_1", {"a": "price_1", "b": "price_1"}),
    ],
)
def test_prices_at_stripe_are_read(text: str | None, prices: dict[str, str]) -> None:
    assert stripe_prices({} if text is None else {"PGCREDITS_STRIPE_PRICES": text}) == prices


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("standard", "'standard'"),
        ("standard=", "'standard='"),
        ("=price_1", "'=price_1'"),
        ("standard=prod_1", "'standard=prod_1'"),
        ("standard=price_", "'standard=price_'"),
        ("standard=price_1 price_2", "price_1 price_2"),
        ("standard=price_1;premium=price_2", "price_1;premium"),
        ("standard=Price_1", "Price_1"),
        ("standard=price_é", "price_é"),
        ("a=b=price_1", "b=price_1"),
        ("a=price_1,a=price_2", "two prices for the pack 'a'"),
    ],
)
def test_malformed_stripe_prices_are_refused(text: str, named: str) -> None:
    with pytest.raises(SettingsError, match=r"PGCREDITS_STRIPE_PRICES: ") as caught:
        stripe_prices({"PGCREDITS_STRIPE_PRICES": text})
    assert named in str(caught.value)
