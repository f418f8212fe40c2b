"""Everything kept and brought back: the same ledger, the same photos, or a refusal by name."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from demeter.core import blobs, db
from demeter.core.db import transaction
from demeter.core.settings import settings
from demeter.ops import restore_mark
from demeter.ops.backup import errors, table_sums
from demeter.ops.backup import restore as way_back
from demeter.ops.backup.blob_list import NAMED
from demeter.ops.backup.manifest import BackupManifest
from demeter.ops.backup.place import place_of
from demeter.ops.backup.repository import open_repository
from demeter.ops.backup.run import make_backup
from demeter.ops.backup.seal import make_key_file
from support.nursery import FIXTURES
from support.pictures import encoded, picture

NEW_IMAGE = text("""
    INSERT INTO s3_images (s3_bucket, s3_key_original, sha256, content_type, file_size_bytes,
        width_px, height_px, uploaded_by_user_id)
    SELECT s3_bucket, :key, :sha256, content_type, 1000, 10, 10, uploaded_by_user_id
    FROM s3_images LIMIT 1
""")
PHOTOS = [encoded(picture(seed=seed)) for seed in range(4)]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch):
    """Let this process live with these settings."""

    def _use(**variables: str | None) -> None:
        for name, setting in variables.items():
            variable = f"DEMETER_{name.upper()}"
            if setting is None:
                monkeypatch.delenv(variable, raising=False)
            else:
                monkeypatch.setenv(variable, setting)
        db.engine().dispose()
        db.engine.cache_clear()
        settings.cache_clear()
        blobs.store.cache_clear()

    return _use


@pytest.fixture
def nursery(fresh_database: str, tmp_path: Path, use) -> Iterator[str]:
    """A database with rows in every table, and photos: in the store, one still in the inbox."""
    use(home=str(tmp_path / "home"))
    with transaction() as session:
        session.connection().exec_driver_sql(FIXTURES.read_text())
        hashes = [blobs.accept(session, body, "image/jpeg") for body in PHOTOS]
        name_photos(session, hashes)
    for sha256 in hashes[:-1]:
        blobs.move_to_store(db.engine(), sha256)
    yield fresh_database
    blobs.store.cache_clear()


def name_photos(session, hashes: list[str]) -> None:
    """An image for each of these photos; the first is that of the counted session."""
    session.execute(
        text("UPDATE s3_images SET sha256 = :sha256, s3_key_processed = :key"),
        {"sha256": hashes[0], "key": blobs.key_of(hashes[1])},
    )
    for sha256 in hashes[2:]:
        session.execute(NEW_IMAGE, {"sha256": sha256, "key": blobs.key_of(sha256)})


@pytest.fixture
def empty_database(server_url: str) -> Iterator[str]:
    """A database with PostGIS and nothing else."""
    name = f"demeter_test_{secrets.token_hex(6)}"
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        url = db.make_engine(server_url).url.set(database=name, drivername="postgresql")
        address = url.render_as_string(hide_password=False)
        with psycopg.connect(address, autocommit=True) as database:
            database.execute("CREATE EXTENSION postgis")
        try:
            yield address
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def keep(dest: Path) -> BackupManifest:
    return make_backup(open_repository(place_of(str(dest)), create=True))


def bring(src: Path, name: str | None = None, **options: bool) -> BackupManifest:
    repository = open_repository(place_of(str(src)))
    manifest = repository.pick(name)
    way_back.restore(repository, manifest, **options)
    return manifest


def sums(url: str) -> dict:
    with psycopg.connect(url) as connection:
        connection.execute(table_sums.TEXT_SETTINGS)
        return dict(table_sums.table_sums(connection))


def test_a_backup_brings_back_every_row_and_every_photo(
    nursery: str, empty_database: str, tmp_path: Path, use
) -> None:
    manifest = keep(tmp_path / "kept")
    before = sums(nursery)
    assert manifest.tables == before
    assert manifest.missing == []
    use(home=str(tmp_path / "new"), database_url=empty_database)
    assert bring(tmp_path / "kept").ledger == table_sums.ledger_hash(before)
    assert sums(empty_database) == before
    for body in PHOTOS:
        assert blobs.read(db.engine(), blobs.sha256_of(body)) == body
    restore_mark.require_finished()
    # Its rules are there, too.
    with psycopg.connect(empty_database) as connection, pytest.raises(psycopg.Error):
        connection.execute("UPDATE stock_movements SET quantity = quantity + 1")


# Hashes that are no names of blobs in the object store.
NO_BLOBS = {
    "api_tokens.token_sha256", "blob_inbox.sha256", "error_models.detect_sha256",
    "error_models.segment_sha256", "idempotency_keys.request_sha256", "import_files.sha256",
    "login_sessions.token_sha256", "model_comparisons.candidate_sha256",
    "model_comparisons.incumbent_sha256", "one_time_links.token_sha256", "vision_models.sha256",
    "resumable_photos.sha256",
}  # fmt: skip


def test_every_column_that_names_a_blob_is_kept(nursery: str) -> None:
    """A new column of hashes or keys has to be told apart here."""
    with psycopg.connect(nursery) as connection:
        rows = connection.execute("""
            SELECT table_name || '.' || column_name, table_name, column_name
            FROM information_schema.columns
            WHERE table_schema = 'public' AND column_name ~ 'sha256|s3_key|blob'
              AND data_type <> 'bigint'
            """).fetchall()
    naming = {name for name, _, column in rows if f"{column}" in NAMED}
    assert {name for name, *_ in rows} - NO_BLOBS - naming == {"s3_images.s3_key_original"}
    assert {name for name, *_ in rows} >= NO_BLOBS


def test_the_second_backup_sends_only_what_is_new(nursery: str, tmp_path: Path) -> None:
    first = keep(tmp_path / "kept")
    assert (first.blob_count, first.new_blobs) == (3, 3)  # one is in the inbox, and so in the dump
    blobs.move_to_store(db.engine(), blobs.sha256_of(PHOTOS[-1]))
    second = keep(tmp_path / "kept")
    assert (second.blob_count, second.new_blobs) == (4, 1)
    assert second.name > first.name
    assert open_repository(place_of(str(tmp_path / "kept"))).names() == [first.name, second.name]
    third = keep(tmp_path / "kept")
    assert third.new_blobs == 0
    assert third.ledger == first.ledger


def flip(path: Path) -> None:
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(bytes(body))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


FILES = ("manifest.json*", "database.dump*", "blobs.gz*", "photos/??/*", "demeter-backup.json")


@pytest.mark.parametrize("kind", ["plain", pytest.param("sealed", marks=pytest.mark.long)])
@pytest.mark.parametrize("harm", [flip, truncate, Path.unlink])
def test_a_damaged_file_is_refused_by_its_name(
    nursery: str, empty_database: str, tmp_path: Path, use, kind: str, harm
) -> None:
    """Each kind of file in turn, and each harm: nothing of it comes into the database."""
    if kind == "sealed":
        make_key_file(tmp_path / "key")
        use(backup_key_file=str(tmp_path / "key"))
    keep(tmp_path / "kept")
    use(home=str(tmp_path / "new"), database_url=empty_database)
    for pattern in FILES:
        copy = tmp_path / "copy"
        shutil.copytree(tmp_path / "kept", copy)
        victim = min(p for p in copy.rglob(pattern) if p.is_file())
        harm(victim)
        with pytest.raises((errors.BackupDamaged, errors.BackupNotFound)) as refusal:
            bring(copy)
        if harm is not Path.unlink or pattern not in ("manifest.json*", "demeter-backup.json"):
            assert refusal.type is errors.BackupDamaged
            assert refusal.value.context["file"] == str(victim.relative_to(copy))
        with psycopg.connect(empty_database) as connection:
            assert table_sums.own_tables(connection) == []
        shutil.rmtree(copy)


def test_a_backup_of_a_later_schema_is_refused(
    nursery: str, empty_database: str, tmp_path: Path, use
) -> None:
    with psycopg.connect(nursery, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    keep(tmp_path / "kept")
    use(home=str(tmp_path / "new"), database_url=empty_database)
    with pytest.raises(errors.BackupTooNew, match="9999"):
        bring(tmp_path / "kept")


def test_a_restore_goes_only_into_an_empty_database_unless_told(
    nursery: str, tmp_path: Path
) -> None:
    keep(tmp_path / "kept")
    before = sums(nursery)
    with psycopg.connect(nursery, autocommit=True) as connection:
        connection.execute("CREATE TABLE of_nobody AS SELECT 1 AS n")
    with pytest.raises(errors.HomeNotEmpty):
        bring(tmp_path / "kept")
    db.engine().dispose()
    bring(tmp_path / "kept", replace=True)
    assert sums(nursery) == before


def test_tables_of_others_are_left_alone_unless_told(
    nursery: str, empty_database: str, tmp_path: Path, use
) -> None:
    keep(tmp_path / "kept")
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute("CREATE TABLE letters AS SELECT 1 AS n")
    use(home=str(tmp_path / "new"), database_url=empty_database)
    with pytest.raises(errors.HomeNotEmpty, match="letters"):
        bring(tmp_path / "kept")
    with psycopg.connect(empty_database) as connection:
        assert table_sums.own_tables(connection) == ["letters"]


def test_a_database_that_was_only_migrated_counts_as_empty(
    nursery: str, empty_database: str, tmp_path: Path, use
) -> None:
    keep(tmp_path / "kept")
    before = sums(nursery)
    use(home=str(tmp_path / "new"), database_url=empty_database)
    db.migrate(db.engine())
    db.engine().dispose()
    bring(tmp_path / "kept")
    assert sums(empty_database) == before


def test_rows_that_would_come_back_otherwise_are_refused_and_nothing_is_kept(
    nursery: str, empty_database: str, tmp_path: Path, use
) -> None:
    keep(tmp_path / "kept")
    repository = open_repository(place_of(str(tmp_path / "kept")))
    manifest = repository.pick(None)
    manifest.tables["stock_movements"].digest = "1"
    use(home=str(tmp_path / "new"), database_url=empty_database)
    with pytest.raises(errors.DumpFailed, match="table stock_movements differs"):
        way_back.restore(repository, manifest)
    with psycopg.connect(empty_database) as connection:
        assert table_sums.own_tables(connection) == []
    with pytest.raises(restore_mark.RestoreUnfinished, match=manifest.name):
        restore_mark.require_finished()
    bring(tmp_path / "kept")
    restore_mark.require_finished()


def test_a_photo_that_the_store_lost_is_named_and_the_rest_is_kept(
    nursery: str, empty_database: str, tmp_path: Path, use
) -> None:
    lost, changed = (blobs.sha256_of(body) for body in PHOTOS[:2])
    (tmp_path / "home/objects" / blobs.key_of(lost)).unlink()
    flip(tmp_path / "home/objects" / blobs.key_of(changed))
    manifest = keep(tmp_path / "kept")
    assert manifest.missing == sorted([lost, changed])
    use(home=str(tmp_path / "new"), database_url=empty_database)
    assert bring(tmp_path / "kept").blob_count == 1


def test_a_photo_that_was_cut_at_the_place_is_sent_again(nursery: str, tmp_path: Path) -> None:
    keep(tmp_path / "kept")
    victim = next((tmp_path / "kept/photos").glob("??/*"))
    truncate(victim)
    assert keep(tmp_path / "kept").new_blobs == 1
    repository = open_repository(place_of(str(tmp_path / "kept")))
    way_back.check(repository, repository.pick(None))


def test_what_a_killed_backup_left_is_cleared_and_used(nursery: str, tmp_path: Path) -> None:
    manifest = keep(tmp_path / "kept")
    kept = tmp_path / "kept"
    (kept / "photos" / ".partial-x").write_bytes(b"half")
    for file in (kept / "snapshots" / manifest.name).glob("manifest.json"):
        file.unlink()
    again = keep(kept)
    assert again.new_blobs == 0
    assert open_repository(place_of(str(kept))).names() == [again.name]
    assert list(kept.rglob(".partial-*")) == []


def test_two_backups_at_once_do_not_meet(nursery: str, tmp_path: Path) -> None:
    with psycopg.connect(nursery) as connection:
        connection.execute("SELECT pg_advisory_lock(hashtext('demeter.backup'))")
        with pytest.raises(errors.BackupUnderWay):
            keep(tmp_path / "kept")


def test_a_folder_of_other_things_is_left_alone(nursery: str, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(errors.BackupPlaceUnusable, match=r"letter\.txt"):
        keep(tmp_path / "mine")


def test_encrypted_files_show_nothing_and_open_with_their_key_alone(
    nursery: str, empty_database: str, tmp_path: Path, use
) -> None:
    make_key_file(tmp_path / "key")
    make_key_file(tmp_path / "other")
    (tmp_path / "home" / "tls").mkdir()
    (tmp_path / "home" / "tls" / "authority.key").write_text("secret of the authority")
    use(backup_key_file=str(tmp_path / "key"))
    manifest = keep(tmp_path / "kept")
    assert "tls" not in manifest.left_out
    for path in (tmp_path / "kept").rglob("*"):
        if path.is_file() and path.name != "demeter-backup.json":
            assert path.read_bytes().startswith(b"age-encryption.org/v1")
    before = sums(nursery)
    use(home=str(tmp_path / "new"), database_url=empty_database, backup_key_file=None)
    with pytest.raises(errors.BackupKeyWrong, match="no key is given"):
        bring(tmp_path / "kept")
    use(backup_key_file=str(tmp_path / "other"))
    with pytest.raises(errors.BackupKeyWrong, match="another key"):
        bring(tmp_path / "kept")
    use(backup_key_file=str(tmp_path / "key"))
    damaged = next((tmp_path / "kept").rglob("home.tar.gz.age"))
    whole = damaged.read_bytes()
    flip(damaged)
    with pytest.raises(errors.BackupDamaged, match=r"home\.tar\.gz"):
        bring(tmp_path / "kept")
    damaged.write_bytes(whole)
    bring(tmp_path / "kept")
    assert sums(empty_database) == before
    authority = tmp_path / "new" / "tls" / "authority.key"
    assert authority.read_text() == "secret of the authority"


@pytest.mark.long  # a passphrase is slow by design
def test_a_passphrase_opens_what_it_closed(nursery: str, tmp_path: Path, use) -> None:
    use(backup_passphrase="a long sentence of the nursery")
    keep(tmp_path / "kept")
    repository = open_repository(place_of(str(tmp_path / "kept")))
    way_back.check(repository, repository.pick(None))
    use(backup_passphrase="another")
    with pytest.raises(errors.BackupKeyWrong):
        open_repository(place_of(str(tmp_path / "kept")))


def test_an_unencrypted_backup_leaves_the_authoritys_key_out_and_says_so(
    nursery: str, tmp_path: Path, use
) -> None:
    (tmp_path / "home" / "tls").mkdir()
    manifest = keep(tmp_path / "kept")
    assert manifest.home is None
    assert "tls" in manifest.left_out
    make_key_file(tmp_path / "key")
    use(backup_key_file=str(tmp_path / "key"))
    with pytest.raises(errors.BackupKeyWrong, match="not encrypted"):
        keep(tmp_path / "kept")
