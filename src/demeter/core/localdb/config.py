"""How the embedded cluster is configured: for a small machine, open to its maker alone."""

from __future__ import annotations

import os
from pathlib import Path

from demeter.core.localdb.accounts import Account, caller

DATABASE = "demeter"
ROLE = "demeter"

SETTINGS = """\
# Demeter's settings for a small machine. Demeter writes this file once; change what you like.
shared_buffers = '128MB'
effective_cache_size = '1GB'
work_mem = '16MB'
maintenance_work_mem = '128MB'
max_connections = 100
max_wal_size = '512MB'
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
logging_collector = on
log_filename = 'postgresql-%a.log'
log_rotation_age = '1d'
log_truncate_on_rotation = on
log_min_duration_statement = '5s'
log_parameter_max_length = 200  # what people wrote and photographed stays out of the log
"""
NOT_DURABLE = """\
# A cluster that may be lost: tests do not wait for the disk.
fsync = off
full_page_writes = off
"""


def write(data_dir: Path, owner: Account, *, durable: bool) -> None:
    """Configure a cluster that `initdb` just made; only the caller may connect, as one role."""
    conf = data_dir / "demeter.conf"
    conf.write_text(SETTINGS if durable else SETTINGS + NOT_DURABLE)
    conf.chmod(0o600)
    os.chown(conf, owner.uid, owner.gid)
    with (data_dir / "postgresql.conf").open("a") as main:
        main.write("include 'demeter.conf'\n")
    (data_dir / "pg_hba.conf").write_text("local all all peer map=demeter\n")
    (data_dir / "pg_ident.conf").write_text(f'demeter "{caller().name}" {ROLE}\n')
