"""Who may call: anybody with a test key. Live keys are refused."""

import base64
import binascii

from stripe_simulator.core.errors import StripeError


def authorize(header: str | None, method: str) -> None:
    """Check an Authorization header: Bearer, or Basic with the key as user. Raises 401 without the key, and
    403 when a restricted key, which may only read, is used for more."""
    scheme, _, credentials = (header or "").partition(" ")
    key = credentials.strip()
    if scheme.lower() == "basic":
        try:
            key = base64.b64decode(key, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            key = ""
    elif scheme.lower() != "bearer":
        key = ""
    if not key:
        message = (
            "You did not provide an API key. You need to provide your API key in the Authorization header, "
            "using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
        )
        raise StripeError(message, status=401)
    if "_live_" in key:
        message = (
            "This is a simulator for development: live keys are refused. Revoke a key sent here by mistake."
        )
        raise StripeError(message, status=401)
    if key.startswith("rk_test_"):
        if method != "GET":
            message = "The provided key does not have the required permissions for this endpoint."
            raise StripeError(message + " In the simulator, restricted keys may only read.", status=403)
        return
    if not key.startswith("sk_test_"):
        raise StripeError("Invalid API Key provided: the simulator takes any sk_test_ key.", status=401)
