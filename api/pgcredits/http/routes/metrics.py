"""/metrics: figures for Prometheus.

They have no personal data, but they tell how the business goes. So nobody reads them by default but a service
and support. Prometheus itself gets a token of its own, PGCREDITS_METRICS_TOKEN, which opens nothing else. We
trust no network: behind a proxy on the same machine, every request would come from there.
"""

from __future__ import annotations

import hmac
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from prometheus_client import CONTENT_TYPE_LATEST

from pgcredits.http.errors import refuse
from pgcredits.http.operations import metrics
from pgcredits.http.resources import Resources

_READERS = ("service_role", "support")


@get("/metrics")
async def read(
    request: Request[Any, Any, Any],
    resources: NamedDependency[Resources],
) -> Response[bytes]:
    """The figures of all workers, as text."""
    if not _has_token(request, resources.settings.metrics_token):
        caller = await resources.identify(request)
        if caller.role not in _READERS:
            status = 401 if caller.anonymous else 403
            slug = "not_signed_in" if caller.anonymous else "not_allowed"
            raise refuse(status, slug, "The figures are for services, and for PGCREDITS_METRICS_TOKEN.")
    resources.pools.note()
    await resources.bank_figures.note()
    return Response(metrics.page(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _has_token(request: Request[Any, Any, Any], expected: str | None) -> bool:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if expected is None or scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(token.strip().encode(), expected.encode())
