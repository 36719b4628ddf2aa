"""A Litestar endpoint that holds tokens, charges what it used, and is free when it fails.

eval "$(.venv/bin/pgcredits env)"     # beside a running `make up`
export PGCREDITS_API_KEY=$(.venv/bin/pgcredits key create app --role spender)
.venv/bin/uvicorn --app-dir docs/examples charged_litestar:app --port 9000
"""

from os import environ
from typing import Any

from litestar import Litestar, Request, post
from litestar.di import NamedDependency
from litestar.params import FromQuery

from pgcredits.client import AsyncBank, AsyncHold
from pgcredits.client.litestar import Charging


def signed_in(request: Request[Any, Any, Any]) -> str:
    """Your own sign-in: it says whose tokens pay."""
    return request.headers["x-user"]


bank = AsyncBank(environ["PGCREDITS_URL"], environ["PGCREDITS_API_KEY"])
charge = Charging(bank, user=signed_in)


@post("/transcriptions", status_code=200, dependencies={"hold": charge("whisper", usage={"calls": 4})})
async def transcribe(minutes: FromQuery[int], hold: NamedDependency[AsyncHold]) -> dict[str, str]:
    text = await recognise(minutes)
    hold.used({"calls": minutes})
    return {"text": text}


async def recognise(minutes: int) -> str:
    """Your own work, or a provider's. It may fail."""
    if minutes < 1:
        raise ValueError("nothing was recorded")
    return " ".join(["blah"] * minutes)


app = Litestar([transcribe], plugins=[charge])
