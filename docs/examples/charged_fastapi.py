"""A FastAPI endpoint that holds tokens, charges what it used, and is free when it fails.

eval "$(.venv/bin/pgcredits env)"     # beside a running `make up`
export PGCREDITS_API_KEY=$(.venv/bin/pgcredits key create app --role spender)
.venv/bin/uvicorn --app-dir docs/examples charged_fastapi:app --port 9000
"""

from os import environ
from typing import Annotated

from fastapi import Depends, FastAPI, Header

from pgcredits.client import AsyncBank, AsyncHold
from pgcredits.client.fastapi import charging

app = FastAPI()


async def signed_in(x_user: Annotated[str, Header()]) -> str:
    """Your own sign-in: it says whose tokens pay."""
    return x_user


bank = AsyncBank(environ["PGCREDITS_URL"], environ["PGCREDITS_API_KEY"])
charge = charging(app, bank, user=signed_in)
Transcription = Annotated[AsyncHold, Depends(charge("whisper", usage={"calls": 4}))]


@app.post("/transcriptions")
async def transcribe(minutes: int, hold: Transcription) -> dict[str, str]:
    text = await recognise(minutes)
    hold.used({"calls": minutes})
    return {"text": text}


async def recognise(minutes: int) -> str:
    """Your own work, or a provider's. It may fail."""
    if minutes < 1:
        raise ValueError("nothing was recorded")
    return " ".join(["blah"] * minutes)
