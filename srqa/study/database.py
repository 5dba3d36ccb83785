"""The database of a study: opening, short transactions, migrations, erasure.

SQLite in WAL mode with every commit on the disk, or PostgreSQL. A writing transaction takes the
write lock at once, so that what it read still holds when it writes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from threading import Lock
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, make_url

from srqa.errors import InputError, MissingPackageError, OutputError, UsageError
from srqa.files import make_folder

MIGRATIONS = Path(__file__).with_name("migrations")
BUSY_MS = 20_000


class DatabaseError(InputError):
    """A study's database cannot be used."""


class Database:
    """A database with the tables of a study.

    Args:
        address: a path of an SQLite file, or an address such as `postgresql://host/name`.

    Raises:
        UsageError: the address cannot be understood.
        MissingPackageError: the driver for PostgreSQL is not installed.
        DatabaseError: it cannot be reached, or is newer than this srqa.
        OutputError: no rights to write.
    """

    def __init__(self, address: str | Path) -> None:
        self.url = _url(address)
        self.engine = _engine(self.url)
        self._turn: AbstractContextManager[Any] = Lock() if self.is_sqlite else nullcontext()

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file of ours."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def file(self) -> Path | None:
        """The file of an SQLite database."""
        return Path(self.url.database) if self.is_sqlite and self.url.database else None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads."""
        with _explained(self), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self, lock: str = "") -> Iterator[Connection]:
        """A transaction that may write; committed at the end, undone by an exception.

        Args:
            lock: those with the same name wait for each other (on SQLite all do).
        """
        with _explained(self), self._turn, self.engine.connect() as plain:
            connection = plain.execution_options(srqa_write=True)
            with connection.begin():
                if lock and not self.is_sqlite:
                    connection.execute(
                        sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _lock_key(lock)}
                    )
                yield connection

    def upgrade(self) -> None:
        """Bring the tables to this version of srqa; two processes at once wait for each other."""
        from alembic import command

        with _explained(self), self._alone(), self.engine.connect() as connection:
            config = _alembic(connection)
            _refuse_newer(connection, config)
            command.upgrade(config, "head")
            connection.commit()

    def vacuum(self) -> None:
        """Leave no trace of erased rows in the files of the database."""
        with _explained(self):
            if not self.is_sqlite:
                engine = self.engine.execution_options(isolation_level="AUTOCOMMIT")
                with engine.connect() as connection:
                    connection.exec_driver_sql("VACUUM FULL")
                return
            with self._turn:
                raw = self.engine.raw_connection()
                try:
                    for step in ("PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM") * 2:
                        raw.cursor().execute(step).fetchall()
                finally:
                    raw.close()

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if self.file is not None:
            from filelock import FileLock

            lock: Any = FileLock(f"{self.file}.lock")
        else:
            lock = _server_lock(self.engine)
        with lock or nullcontext():
            yield


@contextmanager
def _server_lock(engine: Engine) -> Iterator[None]:
    key = {"key": _lock_key("migrations")}
    with engine.connect() as connection:
        connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), key)
        connection.commit()
        try:
            yield
        finally:
            connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), key)
            connection.commit()


def _lock_key(name: str) -> int:
    digest = hashlib.sha256(f"srqa {name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _url(address: str | Path) -> URL:
    text = str(address)
    if "://" not in text:
        path = Path(text).absolute()
        make_folder(path.parent)
        return URL.create("sqlite", database=str(path))
    try:
        url = make_url(text)
    except (sa.exc.ArgumentError, ValueError) as error:
        raise UsageError(
            "The address of the database cannot be understood.",
            hint="For instance postgresql://user@host/name, or the path of a file.",
        ) from error
    kind = url.get_backend_name()
    if kind not in ("sqlite", "postgresql", "postgres"):
        raise UsageError(f"Databases are SQLite or PostgreSQL, not {kind}.")
    if kind == "sqlite":
        return url
    return url.set(drivername="postgresql+psycopg")


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        try:
            return sa.create_engine(url, pool_size=5, max_overflow=15, pool_pre_ping=True)
        except ModuleNotFoundError as error:
            raise MissingPackageError(
                "PostgreSQL needs the package psycopg.", hint="pip install 'srqa[postgres]'"
            ) from error
    engine = sa.create_engine(url, pool_size=5, max_overflow=15, connect_args={"timeout": 20})

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
            f"busy_timeout={BUSY_MS}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("srqa_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _alembic(connection: Connection) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _refuse_newer(connection: Connection, config: Any) -> None:
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    connection.rollback()
    if current is not None and current not in known:
        raise DatabaseError(
            "The study's database was made by a newer srqa.", hint="Upgrade srqa to open it."
        )


@contextmanager
def _explained(database: Database) -> Iterator[None]:
    shown = database.file or database.url.render_as_string(hide_password=True)
    try:
        yield
    except sa.exc.DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[0].rstrip(".") if error.orig else str(error)
        if "readonly" in reason or "disk is full" in reason:
            raise OutputError(f"{shown} cannot be written: {reason}.") from error
        if isinstance(error, sa.exc.IntegrityError):
            raise
        raise DatabaseError(
            f"The database {shown} cannot be used: {reason}.",
            hint="Another database is named by --database or SRQA_DATABASE.",
        ) from error
