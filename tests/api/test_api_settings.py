import pytest

from pgcredits.settings import Settings, SettingsError

GOOD = {
    "PGCREDITS_API_DATABASE_URL": "postgresql://api",
    "PGCREDITS_SERVICE_DATABASE_URL": "postgresql://service",
    "PGCREDITS_JWT_SECRET": "s" * 32,
}


def test_defaults_and_lists() -> None:
    settings = Settings.from_env(
        GOOD | {"STRIPE_WEBHOOK_SECRET": "whsec_a, whsec_b,", "PGCREDITS_PUBLIC_URL": "https://x/"}
    )
    assert settings.stripe_webhook_secrets == ("whsec_a", "whsec_b")
    assert settings.public_url == "https://x"
    assert settings.cors_origins == ()
    assert not settings.live


@pytest.mark.parametrize("name", GOOD)
def test_what_is_missing_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_env({key: value for key, value in GOOD.items() if key != name})


@pytest.mark.parametrize(
    ("unsafe", "message"),
    [
        ({"PGCREDITS_JWT_SECRET": "s" * 31}, "PGCREDITS_JWT_SECRET must be at least 32 bytes"),
        ({"STRIPE_SECRET_KEY": "sk_live_1", "STRIPE_API_BASE": "http://127.0.0.1:1"}, "STRIPE_API_BASE"),
        ({"STRIPE_SECRET_KEY": "rk_live_1", "STRIPE_API_BASE": "http://127.0.0.1:1"}, "STRIPE_API_BASE"),
        ({"PGCREDITS_PUBLIC_URL": "javascript:alert(1)"}, "PGCREDITS_PUBLIC_URL"),
        ({"PGCREDITS_POOL_SIZE": "0"}, "PGCREDITS_POOL_SIZE"),
        ({"PGCREDITS_MAX_ROWS": "many"}, "PGCREDITS_MAX_ROWS"),
    ],
)
def test_what_is_unsafe_is_refused(unsafe: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Settings.from_env(GOOD | unsafe)


def test_secrets_do_not_show() -> None:
    text = repr(
        Settings.from_env(GOOD | {"STRIPE_SECRET_KEY": "sk_test_1", "STRIPE_WEBHOOK_SECRET": "whsec_a"})
    )
    assert not any(secret in text for secret in ("ssss", "sk_test_1", "whsec_a", "postgresql://"))
