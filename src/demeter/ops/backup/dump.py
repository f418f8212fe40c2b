"""PostgreSQL's own dump of the database, and the one transaction that brings it back."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, BinaryIO, cast

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from demeter.core.localdb import programs
from demeter.core.localdb.errors import PostgresProgramsMissing
from demeter.core.settings import settings
from demeter.ops.backup import table_sums
from demeter.ops.backup.errors import DumpFailed
from demeter.ops.backup.manifest import TableSum

LOCK_TIMEOUT = "30s"  # a web server or worker that runs would hold its tables
# Extensions are the server's: the database has them before anything is brought back.
OF_EXTENSIONS = re.compile(r" (EXTENSION|COMMENT - EXTENSION) ")

DROP_OWN = """
DO $drop$
DECLARE words text;
BEGIN
    FOR words IN
        SELECT format('DROP %s IF EXISTS public.%I CASCADE',
            CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
                         WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, relname)
        FROM pg_class c
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid
                          AND d.deptype IN ('e', 'a', 'i') AND d.classid = 'pg_class'::regclass)
    LOOP EXECUTE words; END LOOP;
    FOR words IN
        SELECT format('DROP ROUTINE IF EXISTS public.%I(%s) CASCADE', proname,
                      pg_get_function_identity_arguments(p.oid))
        FROM pg_proc p
        WHERE pronamespace = 'public'::regnamespace
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e'
                          AND d.classid = 'pg_proc'::regclass)
    LOOP IF words IS NOT NULL THEN EXECUTE words; END IF; END LOOP;
    FOR words IN
        SELECT format('DROP TYPE IF EXISTS public.%I CASCADE', typname)
        FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
        WHERE typnamespace = 'public'::regnamespace
          AND (typtype IN ('e', 'd', 'r') OR (typtype = 'c' AND c.relkind = 'c'))
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = t.oid AND d.deptype = 'e'
                          AND d.classid = 'pg_type'::regclass)
    LOOP EXECUTE words; END LOOP;
END $drop$;
"""


@contextmanager
def open_dump(url: str, snapshot: str) -> Iterator[BinaryIO]:
    """The bytes of a dump of one exported snapshot, as ``pg_dump`` writes them.

    Raises:
        DumpFailed: with the program's own words; what was read of it is then worth nothing.
    """
    with TemporaryFile() as errors:
        words = ["--format=custom", "--compress=3", "--no-owner", "--no-privileges"]
        process = _start(url, "pg_dump", *words, f"--snapshot={snapshot}", stderr=errors)
        assert process.stdout is not None
        try:
            yield cast("BinaryIO", process.stdout)
        except BaseException:
            process.kill()
            process.wait()
            raise
        process.stdout.close()
        if process.wait():
            errors.seek(0)
            raise DumpFailed(errors.read().decode(errors="replace").strip())


def bring_back(url: str, dump: Path, tables: Mapping[str, TableSum]) -> None:
    """Restore a dump in one transaction, which ends only if every table is as it was.

    Raises:
        DumpFailed: the database is then as it was before.
    """
    listed = dump.with_suffix(".list")
    listed.write_text(_own_entries(url, dump))
    with TemporaryFile() as errors:
        reader = _start(
            url, "pg_restore", "--no-owner", "--no-privileges", f"--use-list={listed}", "-f", "-",
            str(dump), stderr=errors, connects=False,
        )  # fmt: skip
        writer = _start(
            url, "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-",
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors,
        )  # fmt: skip
        try:
            _feed(reader, writer, _checks(url, tables))
        finally:
            for process in (reader, writer):
                if process.poll() is None:
                    process.kill()
                process.wait()
            listed.unlink()
        if reader.returncode or writer.returncode:
            errors.seek(0)
            raise DumpFailed(errors.read().decode(errors="replace").strip()[-2000:])


def read_through(url: str, dump: Path) -> int:
    """Entries of a dump, each of them read; raises `DumpFailed` where one cannot be."""
    with TemporaryFile() as errors:
        process = _start(
            url, "pg_restore", "-f", os.devnull, str(dump), stderr=errors, connects=False
        )
        if process.wait():
            errors.seek(0)
            raise DumpFailed(errors.read().decode(errors="replace").strip())
    return len(_own_entries(url, dump).splitlines())


def _feed(reader: subprocess.Popen[bytes], writer: subprocess.Popen[bytes], checks: str) -> None:
    """First what goes, then the dump, then the proof of it: all before the one commit."""
    assert reader.stdout is not None
    assert writer.stdin is not None
    try:
        # Not psql's own transaction: it would commit what it has when this process dies.
        writer.stdin.write(b"BEGIN;\n")
        writer.stdin.write(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}';\n".encode())
        writer.stdin.write(DROP_OWN.encode())
        shutil.copyfileobj(reader.stdout, writer.stdin, 1 << 20)
        if reader.wait() == 0:
            writer.stdin.write(checks.encode() + b"COMMIT;\n")
            writer.stdin.close()
            writer.wait()
        else:
            writer.kill()  # before the end of its input: nothing is committed
    except BrokenPipeError:
        writer.wait()  # it refused a statement; its words are the error
        reader.kill()


def _checks(url: str, tables: Mapping[str, TableSum]) -> str:
    statements = [sql.SQL("SET search_path = public;\n"), sql.SQL(table_sums.TEXT_SETTINGS)]
    statements += [table_sums.check_statement(name, total) for name, total in tables.items()]
    with psycopg.connect(url) as connection:
        return sql.Composed(statements).as_string(connection)


def _own_entries(url: str, dump: Path) -> str:
    """The dump's list of contents without what belongs to extensions."""
    process = _start(url, "pg_restore", "--list", str(dump), stderr=subprocess.PIPE, connects=False)
    output, errors = process.communicate()
    if process.returncode:
        raise DumpFailed(errors.decode(errors="replace").strip())
    lines = output.decode().splitlines(keepends=True)
    return "".join(line for line in lines if not OF_EXTENSIONS.search(line))


def _start(
    url: str,
    program: str,
    *words: str,
    stderr: IO[Any] | int,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.PIPE,
    connects: bool = True,
) -> subprocess.Popen[bytes]:
    """One of PostgreSQL's programs; a password is in its environment, never among its words."""
    installation = _installation(url)
    parts = conninfo_to_dict(url)
    password = parts.pop("password", None)
    environment = {**os.environ, **installation.environment}
    if password:
        environment["PGPASSWORD"] = str(password)
    where = [f"--dbname={make_conninfo('', **parts)}"] if connects else []
    return subprocess.Popen(
        [installation.path(program), *where, *words],
        env=environment,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
    )


def _installation(url: str) -> programs.Programs:
    """Programs no older than the server: those of the cluster, or any on this machine's PATH."""
    with psycopg.connect(url) as connection:
        major = connection.info.server_version // 10_000
    try:
        installation = programs.find(settings().home)
    except PostgresProgramsMissing:
        path = shutil.which("pg_dump")
        if path is None:
            raise
        installation = programs.Programs(Path(path).parent, major)
    if installation.major < major:
        raise PostgresProgramsMissing(
            f"the server is PostgreSQL {major}, the programs here are of {installation.major}",
            major=major,
        )
    return installation
