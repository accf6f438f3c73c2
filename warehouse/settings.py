"""Settings of an installation and the folders of a community: the only readers of the environment.

What belongs here: switches, keys' whereabouts, paths. What does not: what a community decides about its own
numbers (that is `community.yml`, see `warehouse.community`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from warehouse.limits import Limits


class Settings(BaseSettings):
    """Settings from `THROUGHLINE_*` environment variables; every one has a working default."""

    model_config = SettingsConfigDict(
        env_prefix="THROUGHLINE_", env_nested_delimiter="__", frozen=True, extra="ignore"
    )

    community: Path | None = Field(None, description="Folder of the community to work on.")
    vault_key: SecretStr | None = Field(None, description="Vault key; else the key file is read.")
    vault_key_file: Path | None = Field(
        None, description="Key file; default <community>/data/keys/vault.key."
    )
    engine: Literal["duckdb", "spark"] = Field(
        "duckdb", description="Engine that builds the tables and scores pairs of records (`run --engine`)."
    )
    spark_secret: SecretStr | None = Field(
        None, description="`spark.authenticate.secret` of the cluster, for nights on Spark."
    )
    memory_limit: str = Field("4GB", description="DuckDB memory before it spills to (encrypted) disk.")
    threads: int | None = Field(None, description="DuckDB threads; the machine's cores when absent.")
    settle_seconds: float = Field(2.0, description="A landing file is taken once unchanged for this long.")
    now: datetime | None = Field(
        None, description="Clock to use instead of the machine's (reproducible runs)."
    )
    ledger_url: str | None = Field(None, description="SQLAlchemy URL of the ledger; default SQLite in data/.")
    postgres_url: SecretStr | None = Field(None, description="Where to publish to PostgreSQL, if anywhere.")
    limits: Limits = Field(
        default_factory=Limits,
        description="Limits on dropped files: THROUGHLINE_LIMITS__MAX_COLUMNS and so on.",
    )
    pgp_home: Path | None = Field(
        None, description="Folder of the GnuPG keys that open encrypted drops; GnuPG's own when absent."
    )
    pgp_passphrase: SecretStr | None = Field(None, description="Passphrase of the key that opens drops.")
    student_postgres_url: SecretStr | None = Field(
        None, description="Database for partners' access to student-level rows; best one of its own."
    )
    alert_urls: SecretStr | None = Field(
        None, description="Apprise URLs that get alerts, separated by spaces; besides those of community.yml."
    )
    smtp_url: SecretStr | None = Field(
        None,
        description="Mail server for alerts to `owner_email`: mailtos://USER:PASSWORD@HOST:PORT?from=ADDRESS.",
    )
    dagster_postgres_url: SecretStr | None = Field(
        None,
        description="PostgreSQL database for Dagster's runs and events; SQLite files in data/ when absent.",
    )
    log_level: str = Field("INFO", description="Level of the log.")

    def clock(self) -> datetime:
        """The present moment in UTC, or the fixed one that was configured."""
        return self.now or datetime.now(UTC)


class CommunityPaths:
    """Where everything of one community lies; folders are made when first asked for by `ensure`."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.config = self.root / "community.yml"
        self.partners = self.root / "partners"
        self.data = self.root / "data"
        self.landing = self.data / "landing"  # one drop folder a partner
        self.receipts = self.data / "receipts"  # one folder a partner, beside the drop folders
        self.archive = self.data / "archive"  # originals by content hash, encrypted
        self.quarantine = self.data / "quarantine"  # refused rows, encrypted
        self.lake = self.data / "lake"  # pseudonymous Parquet: <feed>/<partner>/<delivery>/<period>.parquet
        self.crosswalk = self.data / "lake" / "_crosswalk"  # what leaves the vault
        self.keys = self.data / "keys"
        self.vault = self.data / "vault" / "vault.duckdb"
        self.ledger = self.data / "ledger.sqlite"
        self.warehouse = self.data / "warehouse" / "warehouse.duckdb"  # disposable working database
        self.releases = self.data / "releases"
        self.dagster_home = self.data / "dagster"
        self.quality = self.data / "quality"
        self.attacks = self.data / "disclosure" / "attacks.json"  # the attacker's verdicts by hash
        self.temp = self.data / "tmp"
        self.logs = self.data / "logs"
        self.dbt = self.data / "dbt"  # compiled models and results of the last build
        # Of people one by one, or of how to reach them: for the account that runs the nights alone.
        self.private = (
            self.archive, self.quarantine, self.keys, self.vault.parent, self.lake, self.warehouse.parent, self.temp,
            self.logs, self.quality, self.dagster_home, self.dbt, self.attacks.parent,
        )  # fmt: skip

    def ensure(self) -> CommunityPaths:
        """Make the folders that a run needs, private ones readable by the owner only."""
        for folder in (self.receipts, self.releases):
            folder.mkdir(parents=True, exist_ok=True)
        # Partners' accounts drop here: who else may enter is granted by hand, and stays.
        self.landing.mkdir(exist_ok=True, mode=0o700)
        for folder in self.private:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.chmod(0o700)
        return self
