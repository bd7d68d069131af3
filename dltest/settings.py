"""Configuration: what this installation is (`Settings`) and which lake it tests (`LakeSettings`).

`Settings` come from `DLTEST_*` environment variables; a lake is one YAML file, since it has
structure and belongs to whoever runs the lake. Secrets are `SecretStr`, so that no log, error
or repr can hold them.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from dltest.errors import SettingsError
from dltest.model import Steadiness


def _kebab(name: str) -> str:
    return name.replace("_", "-")


class _Section(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=_kebab, populate_by_name=True
    )


class AccountSettings(_Section):
    """Who else to sign in to Rucio as, by a password."""

    account: str
    username: str | None = None
    password: SecretStr | None = None
    password_file: Path | None = None


AuthType = Literal["userpass", "oidc", "x509", "x509_proxy"]


class RucioSettings(_Section):
    """How to reach the catalogue and as whom. Everything dltest makes lies in `scope`.

    `auth_type` is one of Rucio's: `userpass`; `oidc`, with a token as `identity` says; `x509`, with
    `client_cert` and `client_key`; or `x509_proxy`, with the proxy of `storage`.

    `operator` may see the heartbeats of Rucio's daemons, which only `root` may under Rucio's
    generic policy. It is asked for these alone; without it dltest infers which daemon must act.
    `stranger` is an account without rights and quota, which tries what it must not be able to do.
    """

    url: str
    auth_url: str | None = None
    account: str
    auth_type: AuthType = "userpass"
    username: str | None = None
    password: SecretStr | None = None
    password_file: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    scope: str
    operator: AccountSettings | None = None
    stranger: AccountSettings | None = None
    ca_file: Path | None = None
    timeout_seconds: int = 60

    def secret(self) -> str | None:
        """The password, from the file when one is named. Raises `SettingsError`."""
        return _secret(self.password, self.password_file, "password-file")


class IdentitySettings(_Section):
    """The token issuer, and where dltest's own tokens come from.

    As a client of the issuer; or from oidc-agent, by the name of an account there; or from
    `token_file`; or from where the WLCG bearer token discovery looks. `audience` and `scopes` are
    those of the token that Rucio is shown. `nodes` are the URLs of the servers behind the issuer's
    name, for probes.
    """

    issuer: str
    nodes: tuple[str, ...] = ()
    client_id: str | None = None
    client_secret: SecretStr | None = None
    client_secret_file: Path | None = None
    oidc_agent: str | None = None
    token_file: Path | None = None
    audience: str = "rucio"
    scopes: tuple[str, ...] = ("openid", "profile")
    ca_file: Path | None = None
    timeout_seconds: float = 10.0

    def secret(self) -> str | None:
        """The client's secret, from the file when one is named. Raises `SettingsError`."""
        return _secret(self.client_secret, self.client_secret_file, "client-secret-file")


def _secret(value: SecretStr | None, file: Path | None, key: str) -> str | None:
    if file is None:
        return value.get_secret_value() if value else None
    try:
        return file.read_text().strip()
    except OSError as error:
        raise SettingsError(f"cannot read {key} {file}") from error


class StorageSettings(_Section):
    """How to talk to storage elements: whom to trust, what to present, client environment.

    `proxy` is an X.509 proxy certificate, which somebody else renews. `disks` names, by RSE,
    folders of this machine that a storage's server exports: of labs only, for damage behind a
    server's back.
    """

    ca_file: Path | None = None
    ca_dir: Path | None = None
    proxy: Path | None = None
    bearer: SecretStr | None = None
    environment: dict[str, str] = Field(default_factory=dict)
    parallel_files: int = 4
    schemes: tuple[str, ...] = ("davs", "root")
    disks: dict[str, Path] = Field(default_factory=dict)


# The queue of jobs that any worker may take; a site's own is called after it.
TRANSFER = "transfer"


class KnownRSE(_Section):
    """An RSE as declared in the lake file: used only while the catalogue is out of reach."""

    name: str
    site: str | None = None
    attributes: dict[str, str] = Field(default_factory=dict)


class LakeSettings(_Section):
    """One lake file.

    `database` and `broker` stand in where the installation names none; `web` is where the
    service's pages are, for links. `movers` maps sites where workers stand to the RSEs whose bytes
    only these move. `simulated` is the socket of a simulated lake
    (`python -m dltest.lake.simulated`), which stands in for Rucio and storages alike. `lab` is the
    folder of the lab that this lake is, where it is one: scenarios may break and heal it.
    """

    name: str
    rucio: RucioSettings
    storage: StorageSettings = StorageSettings()
    identity: IdentitySettings | None = None
    database: SecretStr | None = None
    broker: SecretStr | None = None
    web: str | None = None
    activity: str = "Functional Test"
    rses: tuple[KnownRSE, ...] = ()
    movers: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    simulated: Path | None = None
    lab: Path | None = None

    @property
    def can_be_broken(self) -> bool:
        """Whether scenarios may break it on purpose, and heal it again."""
        return self.lab is not None or self.simulated is not None

    @model_validator(mode="before")
    @classmethod
    def _simulated_rucio(cls, document: Any) -> Any:
        """A simulated lake has a Rucio that nobody need describe."""
        if isinstance(document, dict) and document.get("simulated") and "rucio" not in document:
            rucio = {"url": f"unix:{document['simulated']}", "account": "dltest", "scope": "dltest"}
            return {**document, "rucio": rucio}
        return document

    @model_validator(mode="after")
    def _credentials_are_named(self) -> "LakeSettings":
        if self.rucio.auth_type == "oidc" and self.identity is None:
            raise ValueError("rucio.auth-type oidc needs the section identity")
        if self.rucio.auth_type == "x509_proxy" and self.storage.proxy is None:
            raise ValueError("rucio.auth-type x509_proxy needs storage.proxy")
        return self

    @field_validator("movers")
    @classmethod
    def _one_site_an_rse(cls, movers: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        named = [rse for rses in movers.values() for rse in rses]
        if twice := sorted({rse for rse in named if named.count(rse) > 1}):
            raise ValueError(f"{', '.join(twice)} may stand at one site only")
        return movers

    def transfer_queues(self) -> tuple[str, ...]:
        """All queues that storage jobs go to."""
        return (TRANSFER, *(f"{TRANSFER}.{site}" for site in self.movers))

    def queue_of(self, rse: str) -> str:
        """The queue of the workers that move this RSE's bytes."""
        site = next((site for site, rses in self.movers.items() if rse in rses), None)
        return TRANSFER if site is None else f"{TRANSFER}.{site}"

    @classmethod
    def load(cls, path: Path) -> "LakeSettings":
        """Read one lake file.

        Raises:
            SettingsError: missing, unreadable or wrong; names the file and the keys.
        """
        return cls._checked(_read_yaml(path), path)

    @classmethod
    def _checked(cls, document: Any, path: Path) -> "LakeSettings":
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            wrong = "; ".join(
                f"{'.'.join(str(part) for part in issue['loc'])}: {issue['msg']}"
                for issue in error.errors(include_input=False, include_url=False)
            )
            # `from None`: pydantic's own text would repeat the values, secrets among them.
            raise SettingsError(f"lake file {path} is wrong: {wrong}") from None


def _read_yaml(path: Path) -> Any:
    try:
        return YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            f"there is no lake file {path}; start a lab with `dltest lab up`, or set DLTEST_LAKE"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read lake file {path}: {error}") from error
    except YAMLError as error:
        raise SettingsError(f"lake file {path} is not YAML: {error}") from error


def _variable(location: tuple[int | str, ...]) -> str:
    """The variable that is wrong; nothing when it is several together."""
    return f"DLTEST_{str(location[0]).upper()}: " if location else ""


def _default_state_dir() -> Path:
    return Path("~/.local/state/dltest").expanduser()


class Settings(BaseSettings):
    """This installation, from the environment."""

    model_config = SettingsConfigDict(env_prefix="DLTEST_", extra="ignore", frozen=True)

    lake: Path | None = Field(None, description="The lake file.")
    scenarios: Path = Field(Path("scenarios"), description="Folder of scenario files.")
    database: SecretStr | None = Field(
        None, description="SQLAlchemy URL; default: SQLite in the state folder."
    )
    broker: SecretStr | None = Field(None, description="Redis URL of the Celery broker.")
    state_dir: Path = Field(
        default_factory=_default_state_dir, description="Folder of the SQLite store and the spool."
    )
    spool_dir: Path | None = Field(
        None, description="Where payloads pass through; default: below the state folder."
    )
    parallel_per_rse: int = Field(
        20,
        ge=1,
        description="How many runs of the service, or of a `dltest run`, may be open on one RSE.",
    )
    parallel_per_link: int = Field(
        10, ge=1, description="How many of the service's runs may be open at once on one link."
    )
    parallel_runs: int = Field(
        500, ge=1, description="How many of the service's runs may be open at once on one lake."
    )
    waiting_rules: int = Field(
        200,
        ge=1,
        description="No run begins while so many replications of ours wait for the lake.",
    )
    status_after: int = Field(
        2, ge=1, description="How many runs change a case's status (see DLTEST_STATUS_OF)."
    )
    status_of: int = Field(
        3, ge=1, description="Out of how many of the latest runs that found something out."
    )
    tick_seconds: int = Field(15, description="How often beat wakes the scheduler.")
    poll_seconds: float = Field(
        2.0, gt=0, description="How often the service looks at the lake for all waiting runs."
    )
    patience: timedelta = Field(
        timedelta(seconds=15), description="How long a silent lake is asked again."
    )
    cleanup_limit: timedelta = Field(
        timedelta(minutes=2), description="How long a run waits to see its own data gone."
    )
    data_lifetime: timedelta = Field(
        timedelta(hours=6), description="Lifetime of every DID and rule, the second net."
    )

    @classmethod
    def load(cls) -> "Settings":
        """Read the environment.

        Raises:
            SettingsError: a variable does not parse.
        """
        try:
            return cls()
        except ValidationError as error:
            wrong = "; ".join(
                f"{_variable(issue['loc'])}{issue['msg']}"
                for issue in error.errors(include_input=False, include_url=False)
            )
            raise SettingsError(f"the environment is wrong: {wrong}") from None

    def database_url(self, lake: LakeSettings | None = None) -> str:
        """Where rows go: the environment, else the lake file, else SQLite in the state folder."""
        secret = self.database or (lake.database if lake else None)
        if secret is not None:
            return secret.get_secret_value()
        return f"sqlite:///{self.state_dir / 'dltest.sqlite3'}"

    def broker_url(self, lake: LakeSettings | None = None) -> str:
        """The Celery broker.

        Raises:
            SettingsError: none is configured.
        """
        secret = self.broker or (lake.broker if lake else None)
        if secret is None:
            raise SettingsError("no broker is configured: set DLTEST_BROKER=redis://host:port/0")
        return secret.get_secret_value()

    @property
    def steadiness(self) -> Steadiness:
        return Steadiness(after=self.status_after, of=self.status_of)

    @model_validator(mode="after")
    def _status_can_change(self) -> "Settings":
        if self.status_after > self.status_of:
            raise PydanticCustomError(
                "status", "DLTEST_STATUS_AFTER must not be more than DLTEST_STATUS_OF"
            )
        return self

    def spool(self) -> Path:
        return self.spool_dir or self.state_dir / "spool"
