"""A page that shows the balance of its user, and sells packs: wallet.html.

WALLET_SECRET=$(openssl rand -hex 32)
cat >issuers.json <<END
[{"issuer": "my-app", "audience": "pgcredits", "subject_prefix": "", "secret": "$WALLET_SECRET"}]
END
PGCREDITS_ISSUERS=issuers.json make up

eval "$(.venv/bin/pgcredits env)"     # in another shell
export WALLET_SECRET=…                # the secret in issuers.json
.venv/bin/uvicorn --app-dir docs/examples wallet:app --port 9010
"""

from datetime import UTC, datetime, timedelta
from os import environ
from pathlib import Path
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, Response
from fastapi.responses import FileResponse

app = FastAPI()


async def signed_in() -> str:
    """Your own sign-in: it says whose page this is, usually by a cookie."""
    return "ada"


@app.get("/")
async def page() -> FileResponse:
    return FileResponse(Path(__file__).with_name("wallet.html"))


@app.get("/access")
async def access(user: Annotated[str, Depends(signed_in)], response: Response) -> dict[str, str]:
    """What the page needs to call the bank: its address, and a token of this user for ten minutes."""
    response.headers["Cache-Control"] = "no-store"
    claims = {
        "iss": "my-app",
        "aud": "pgcredits",
        "sub": user,
        "exp": datetime.now(UTC) + timedelta(minutes=10),
    }
    return {"url": environ["PGCREDITS_URL"], "token": jwt.encode(claims, environ["WALLET_SECRET"])}
