"""One place for everything that can be set; environment variables begin with DEMETER_."""

from __future__ import annotations

import os
import socket
from functools import lru_cache
from ipaddress import ip_network
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


def _default_home() -> Path:
    """Where everything local lives unless DEMETER_HOME says otherwise.

    Root's own home is closed to the unprivileged user that runs PostgreSQL, so root
    gets the system's place for state.
    """
    if os.geteuid() == 0:
        return Path("/var/lib/demeter")
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "demeter"


class Settings(BaseSettings):
    """Demeter's settings; each is documented in docs/settings.md."""

    model_config = SettingsConfigDict(env_prefix="DEMETER_", extra="ignore")

    home: Path = Field(default_factory=_default_home)
    database_url: str | None = None  # none: the embedded cluster under home
    object_store_url: str | None = None  # none: the directory home/objects
    host: str = "127.0.0.1"
    host_names: str = ""  # names of a proxy before the server, separated by commas
    port: int = Field(default=8000, ge=0, le=65_535)
    trusted_proxies: str = ""  # addresses or networks whose X-Forwarded-… headers are believed
    tls_certificate: Path | None = None  # PEM, with those above it; with it pages are served by TLS
    tls_key: Path | None = None
    trust_port: int = Field(default=0, ge=0, le=65_535)  # 0: the one after `port`
    plain_passwords: bool = False  # take passwords without TLS from other machines, too
    metrics_networks: str = "127.0.0.0/8,::1"  # from where /metrics is read without a token
    webhook_networks: str = ""  # that are not open to everybody and may be called all the same
    time_zone: str | None = None  # the site's, for EXIF times without offset
    log_level: str = "INFO"
    log_format: str = "auto"  # json, console, or auto: console on a terminal
    service_user: str = "demeter-service"

    cache_max_bytes: int = 2_000_000_000
    max_photos: int = 100
    max_photo_bytes: int = 50_000_000
    max_photo_pixels: int = 120_000_000
    min_photo_side_px: int = 64
    photos_per_minute: int = Field(default=600, ge=1)  # of one person
    photos_per_day: int = Field(default=10_000, ge=1)
    photo_bytes_per_day: int = Field(default=100_000_000_000, ge=1)
    max_body_bytes: int = 1_000_000  # of a request, where its route does not say otherwise
    decoder_processes: int = Field(default=2, ge=1)  # that unpack photos, for each process here
    decoder_process_bytes: int = 1_500_000_000  # the most that one of them may take
    decoder_memory_bytes: int = 2_000_000_000  # for all photos that are unpacked at once
    decoder_cpu_s: float = 10.0  # of the processor, for one photo
    decoder_timeout_s: float = 60.0  # by the clock, for one photo
    decoder_wait_s: float = 30.0  # until one has its turn
    decoder_waiting: int = 64  # how many may wait for theirs
    exif_max_age_days: int = 30
    gps_error_m: float = 10.0

    # Of inference, as `vision.runtime.Precision`, which takes long to import; f32 gives the
    # same rows on every machine.
    precision: Literal["f32", "bf16"] = "f32"
    vision_threads: int = 0  # 0: all cores

    implausible_share: float = 0.40
    implausible_intervals: float = 3.0
    unknown_residual_share: float = 0.10
    bin_match_iou: float = 0.5

    closing_grace_hours: int = 72  # a count this long after a period's end still closes it
    closing_two_people: bool = False  # one proposes to close a period, another closes it
    sales_tolerance_share: float = 0.02  # of a sales file's line that still counts as matched

    held_out_share: float = Field(default=0.2, ge=0, le=1)  # of locations, to judge models on
    blind_share: float = Field(default=0.0, ge=0, le=1)  # of sessions that are counted blind, too

    backup_place: str | None = None  # a folder or an s3://… URL; none: no backups by themselves
    backup_key_file: Path | None = None  # of age; with it, or a passphrase, backups are encrypted
    backup_passphrase: SecretStr | None = None
    # Of the bucket, where it is not that of the photos: {"aws_access_key_id": …}
    backup_store_options: dict[str, str] = Field(default_factory=dict, repr=False)
    backup_hour: int = Field(default=2, ge=0, le=23)  # of the site's day
    backup_keep_days: int = Field(default=7, ge=1)
    backup_keep_weeks: int = Field(default=5, ge=0)
    backup_keep_months: int = Field(default=12, ge=0)

    # What need not be kept for ever; none: it is. See docs/runbooks/retention.md.
    photo_keep_days: int | None = Field(default=None, ge=1)
    overlay_keep_days: int | None = Field(default=None, ge=1)
    photo_keep_truth: bool = True  # photos that people marked or accepted stay: models learn there
    retention_hour: int = Field(default=4, ge=0, le=23)  # of the site's day

    migration_lock_timeout_s: int = Field(default=30, ge=0)  # 0: wait for ever
    migration_statement_timeout_s: int = Field(default=1800, ge=0)

    worker_stalled_s: float = 12.0
    worker_heartbeat_s: float = 3.0

    def phone_port(self) -> int:
        """Where phones fetch the authority that they are to trust, without TLS."""
        return self.trust_port or self.port + 1

    def networks_of_metrics(self) -> list[str]:
        """Addresses and networks, each as it was written."""
        return [part.strip() for part in self.metrics_networks.split(",") if part.strip()]

    def networks_of_webhooks(self) -> list[str]:
        """As `networks_of_metrics`."""
        return [part.strip() for part in self.webhook_networks.split(",") if part.strip()]

    @field_validator("metrics_networks", "webhook_networks")
    @classmethod
    def _networks_are_networks(cls, value: str) -> str:
        for part in filter(None, (part.strip() for part in value.split(","))):
            ip_network(part)
        return value

    def own_names(self) -> set[str]:
        """The host names, besides localhost, that the server goes by.

        With TLS also this machine's own, for which nobody else has a certificate.
        """
        names = {name.strip().lower() for name in self.host_names.split(",")} - {""}
        if self.tls_certificate:
            host = socket.gethostname().lower()
            names |= {host, f"{host}.local"}
        return names


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
