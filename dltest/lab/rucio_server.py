"""The Rucio server of the lab: its configuration files and its commands."""

import json
from itertools import permutations
from pathlib import Path

from dltest.lab import rucio_side, storage
from dltest.lab.authority import Authority
from dltest.lab.daemons import DAEMONS
from dltest.lab.description import Lab
from dltest.lab.identity import nodes
from dltest.lab.layout import write_atomically
from dltest.lab.postgres import database_url

ACCOUNT = "dltest"
# Has a password, and no rights, scopes or quotas.
STRANGER = "stranger"
SCOPE = "dltest"
# Of tokens that Rucio takes.
AUDIENCE = "rucio"
SCRIPTS = Path(rucio_side.__file__).parent
ACCOUNT_LIMIT = 10**15
WORKERS = 2
THREADS = 8

ALEMBIC = """\
[alembic]
script_location = {site}/rucio/db/sqla/migrate_repo
sqlalchemy.url = {url}
[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys = plain
[logger_root]
level = WARNING
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = plain
[formatter_plain]
format = %(levelname)s %(message)s
"""

SERVER = """\
[common]
logdir = {logs}
loglevel = INFO
mailtemplatedir = {site}/rucio/etc/mail_templates
[client]
rucio_host = {url}
auth_host = {url}
account = root
auth_type = userpass
username = root
password = {password}
auth_token_file_path = {home}/token-of-root
[database]
default = {database}
pool_reset_on_return = rollback
pool_size = 4
max_overflow = 10
pool_recycle = 600
[bootstrap]
userpass_identity = root
userpass_pwd = {password}
[policy]
package = dltest_lab_policy
permission = generic
schema = generic
lfn2pfn_algorithm_default = hash
[alembic]
cfg = {etc}/alembic.ini
[conveyor]
scheme = davs,https,root,dav,mock
transfertool = fts3
ftshosts = {transfers}
[oidc]
idpsecrets = {etc}/idpsecrets.json
admin_issuer = {vo}
expected_audience = {audience}
expected_scope = openid profile
[transfers]
multihop_rse_expression =
[reaper]
nb_workers_by_hostname = 100
"""


def configuration(lab: Lab) -> Path:
    return lab.layout.etc / "rucio.cfg"


def write_configuration(lab: Lab) -> None:
    site = next((lab.rucio_python.parent.parent / "lib").glob("python3.*/site-packages"))
    url = database_url(lab, "rucio")
    etc = lab.layout.etc
    write_atomically(etc / "alembic.ini", ALEMBIC.format(site=site, url=url), mode=0o600)
    server = SERVER.format(
        logs=lab.layout.logs,
        site=site,
        url=lab.url("rucio"),
        password=lab.passwords["root"],
        home=lab.root / "home",
        database=url,
        etc=etc,
        transfers=lab.url("transfers"),
        vo=nodes.VO,
        audience=AUDIENCE,
    )
    write_atomically(etc / "idpsecrets.json", nodes.rucio_secrets(lab), mode=0o600)
    write_atomically(configuration(lab), server, mode=0o600)


def environment(lab: Lab) -> dict[str, str]:
    return {
        "RUCIO_CONFIG": str(configuration(lab)),
        "PYTHONPATH": str(SCRIPTS / "policy"),
        # How `requests` is told whom to trust: Rucio asks the token issuer with it.
        "REQUESTS_CA_BUNDLE": str(Authority(lab.layout.authority).certificate),
        **storage.environment(lab),
    }


def schema_command(lab: Lab) -> tuple[str, ...]:
    return (str(lab.rucio_python), str(SCRIPTS / "schema.py"), str(lab.ports["postgres"]))


def command(lab: Lab, port: int) -> tuple[str, ...]:
    return (
        *(str(lab.rucio_python), "-m", "gunicorn", "--config", str(SCRIPTS / "server.py")),
        *("--bind", f"127.0.0.1:{port}", "--no-control-socket"),
        *("--workers", str(WORKERS), "--threads", str(THREADS)),
        "rucio.web.rest.flaskapi.v1.main:application",
    )


def nursery_command(lab: Lab, descriptor: int) -> tuple[str, ...]:
    plan = lab.layout.etc / "nursery.json"
    return (str(lab.rucio_python), str(SCRIPTS / "nursery.py"), str(descriptor), str(plan))


def nursery_mark(lab: Lab) -> Path:
    """The file in which the nursery says, by its pid, that it takes requests."""
    return lab.layout.run / "nursery.ready"


def write_nursery_plan(lab: Lab) -> None:
    write_configuration(lab)
    nursery_mark(lab).unlink(missing_ok=True)
    plan = {
        "modules": [daemon.module for daemon in DAEMONS],
        "rounds": str(lab.layout.rounds),
        "ready": str(nursery_mark(lab)),
    }
    write_atomically(lab.layout.etc / "nursery.json", json.dumps(plan))


def lake_command(lab: Lab) -> tuple[str, ...]:
    return (str(lab.rucio_python), str(SCRIPTS / "lake.py"), str(lab.layout.etc / "lake.json"))


def write_lake_request(lab: Lab) -> None:
    write_atomically(lab.layout.etc / "lake.json", json.dumps(lake_request(lab)), mode=0o600)


def lake_request(lab: Lab) -> dict[str, object]:
    """Everything that Rucio shall know of this lake.

    A transfer is made with tokens at both ends or at none, so no link leads from storages that
    want tokens to others.
    """
    return {
        "url": lab.url("rucio"),
        "root_password": lab.passwords["root"],
        "account": ACCOUNT,
        "password": lab.passwords["dltest"],
        "stranger": STRANGER,
        "stranger_password": lab.passwords[STRANGER],
        "oidc_identity": f"SUB={nodes.DLTEST}, ISS={nodes.issuer(lab)}",
        "scope": SCOPE,
        "rses": [_rse(lab, element) for element in storage.ELEMENTS],
        "links": [*permutations(storage.OPEN_RSES, 2), *permutations(storage.TOKEN_RSES, 2)],
    }


def _rse(lab: Lab, element: storage.StorageElement) -> dict[str, object]:
    attributes: dict[str, object] = {
        key: value == "True" if value in ("True", "False") else value
        for key, value in element.all_attributes.items()
    }
    attributes |= {
        "fts": _transfers(lab, element),
        # Rucio's default; said, so that a fault can say otherwise.
        "verify_checksum": True,
    }
    return {
        "name": element.rse,
        "account": ACCOUNT,
        "limit": ACCOUNT_LIMIT,
        "attributes": attributes,
        "protocols": [
            _protocol(element.host, lab.ports[element.rse], scheme, rank)
            for rank, scheme in enumerate(element.schemes, start=1)
        ],
    }


def _transfers(lab: Lab, element: storage.StorageElement) -> str:
    """Rucio shows the transfer service a token only over TLS."""
    if element.kind.wants_tokens:
        return f"https://localhost:{lab.ports['transfers-tls']}"
    return lab.url("transfers")


def _protocol(host: str, port: int, scheme: str, rank: int) -> dict[str, object]:
    operations = dict.fromkeys(("read", "write", "delete"), rank)
    copies = dict.fromkeys(("third_party_copy_read", "third_party_copy_write"), rank)
    prefix = {"root": "/"}.get(scheme, "") + storage.PREFIX + "/"
    return {
        "scheme": scheme,
        "hostname": host,
        "port": port,
        "prefix": prefix,
        "impl": "rucio.rse.protocols.gfal.Default",
        "domains": {"lan": operations, "wan": operations | copies},
    }
