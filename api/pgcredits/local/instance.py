"""A data folder: its secrets, the lock of a running `up`, and where the parts of that `up` listen."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from pgcredits.database_urls import as_user
from pgcredits.tokens import mint

DATA_DIR = "pgcredits-data"  # where no other folder is named
LOGINS = {  # each login by the name of its URL in Running
    "api_database_url": "pgcredits_api",
    "service_database_url": "pgcredits_service",
    "analyst_url": "pgcredits_analyst",
    "accountant_url": "pgcredits_accountant",
    "auditor_url": "pgcredits_auditor",
}
TOKEN_SECONDS = 30 * 86_400


class InstanceError(RuntimeError):
    """The data folder does not have what was asked for. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """Made once per data folder. `logins` are passwords by database login."""

    jwt_secret: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    postgres_password: str = field(repr=False)
    logins: dict[str, str] = field(repr=False)

    @classmethod
    def fresh(cls) -> Secrets:
        return cls(
            jwt_secret=secrets.token_urlsafe(48),
            webhook_secret=f"whsec_{secrets.token_hex(24)}",
            postgres_password=secrets.token_hex(16),
            logins={login: secrets.token_hex(16) for login in LOGINS.values()},
        )


@dataclass(frozen=True, slots=True)
class Running:
    """Where a running `up` listens, and the logins to its database."""

    pid: int
    api_url: str
    simulator_url: str | None  # None: Stripe itself
    jwt_secret: str = field(repr=False)
    database_url: str = field(repr=False)  # the administrator's
    api_database_url: str = field(repr=False)
    service_database_url: str = field(repr=False)
    analyst_url: str = field(repr=False)
    accountant_url: str = field(repr=False)
    auditor_url: str = field(repr=False)
    jwt_audience: str | None = None  # what a token must name in aud


class Instance:
    """A data folder. Everything secret in it is readable by its owner alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    def secrets(self) -> Secrets:
        """Raises InstanceError when the folder has none yet."""
        try:
            return Secrets(**json.loads((self.folder / "secrets.json").read_text()))
        except FileNotFoundError:
            raise InstanceError(f"{self.folder} has no secrets.json: run `pgcredits up` first") from None
        except PermissionError as error:
            raise InstanceError(f"{self.folder} belongs to another user: {error}") from None
        except (ValueError, TypeError) as error:
            raise InstanceError(f"{self.folder / 'secrets.json'} cannot be read: {error}") from None

    def ensure_secrets(self) -> Secrets:
        """The folder's secrets, made when missing. An older release left no password for newer logins."""
        fresh = Secrets.fresh()
        if not (self.folder / "secrets.json").exists():
            self._write("secrets.json", asdict(fresh))
        known = self.secrets()
        if fresh.logins.keys() - known.logins.keys():
            self._write("secrets.json", asdict(replace(known, logins=fresh.logins | known.logins)))
        return self.secrets()

    def jwt_secret(self) -> str:
        """The secret that signs our tokens, whether `up` runs or not. Raises InstanceError."""
        return self.running().jwt_secret if self._is_held() else self.secrets().jwt_secret

    def jwt_audience(self) -> str | None:
        """What a token must name in aud, for the HTTP API that runs."""
        return self.running().jwt_audience if self._is_held() else None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Be the only `up` of this folder. The lock ends with the process, however that ends."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._keep_from_others()
            lock = (self.folder / "up.lock").open("w")
        except OSError as error:
            raise InstanceError(f"the data folder cannot be used: {error}") from None
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise InstanceError(
                    f"`pgcredits up` already runs on {self.folder}: stop it, or choose another --data-dir"
                ) from None
            (self.folder / "run.json").unlink(missing_ok=True)
            try:
                yield
            finally:
                (self.folder / "run.json").unlink(missing_ok=True)

    def publish(self, running: Running) -> None:
        """Let the other commands find this `up`."""
        self._write("run.json", asdict(running))

    def running(self) -> Running:
        """Raises InstanceError when no `up` runs on this folder, or it is not ready yet."""
        if not self._is_held():
            raise InstanceError(
                f"nothing runs on {self.folder}: start it with `pgcredits up`, or name its --data-dir"
            )
        try:
            return Running(**json.loads((self.folder / "run.json").read_text()))
        except FileNotFoundError:
            raise InstanceError("`pgcredits up` is still starting: try again in a moment") from None
        except PermissionError as error:
            raise InstanceError(f"{self.folder} belongs to another user: {error}") from None
        except (ValueError, TypeError):
            raise InstanceError(
                "the `pgcredits up` that runs is of another release: stop it, and start it again"
            ) from None

    def environment(self, subject: str) -> dict[str, str]:
        """What `pgcredits env` prints. Raises InstanceError."""
        running = self.running()

        def token(role: str, subject: str | None = None) -> str:
            return mint(running.jwt_secret, role, subject, TOKEN_SECONDS, running.jwt_audience)

        return {
            "PGCREDITS_URL": running.api_url,
            "SERVICE_TOKEN": token("service_role"),
            "SPENDER_TOKEN": token("spender"),
            "USER_TOKEN": token("authenticated", subject),
            "USER_URL": as_user(running.api_database_url, subject),
            "ANALYST_URL": running.analyst_url,
            "ACCOUNTANT_URL": running.accountant_url,
            "AUDITOR_URL": running.auditor_url,
            "API_DATABASE_URL": running.api_database_url,
            "SERVICE_DATABASE_URL": running.service_database_url,
            "SIMULATOR_URL": running.simulator_url or "",
        }

    def _is_held(self) -> bool:
        try:
            with (self.folder / "up.lock").open("r") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def _keep_from_others(self) -> None:
        """Take from others what an earlier version, or another umask, has left readable.

        PostgreSQL protects its own folder. When it runs as another user, it must be able to pass through
        ours.
        """
        self.folder.chmod(0o700 | self.folder.stat().st_mode & 0o001)
        for path in self.folder.iterdir():
            if path.is_file() and not path.is_symlink():
                path.chmod(0o600)

    def _write(self, name: str, content: dict[str, object]) -> None:
        """Write a file whole or not at all, and never readable by others."""
        fresh = self.folder / f"{name}.new"
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            json.dump(content, stream, indent=2)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(self.folder / name)


def shell_line(name: str, value: str) -> str:
    """A line for `eval`. The programs that the shell starts get the variable, too."""
    return f"export {name}={shlex.quote(value)}"
