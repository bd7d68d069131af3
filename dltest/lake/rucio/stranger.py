"""Another account at Rucio's door, which tries what only the owner may."""

from collections.abc import Callable
from typing import Any

from dltest.errors import CredentialError, LakeError
from dltest.lake.ports import Attempt, Belongings, Deed
from dltest.lake.rucio.session import RucioSession
from dltest.settings import AccountSettings, RucioSettings

# More than anybody has: a rule for it needs a quota that no stranger was given.
MADE = ".stranger"
ONE_HOUR_SECONDS = 3600

Try = Callable[[Any, Belongings], Any]


class RucioStranger:
    """`ports.Stranger` through rucio-clients."""

    def __init__(self, settings: RucioSettings, who: AccountSettings) -> None:
        update = {**who.model_dump(), "auth_type": "userpass"}
        self.account = who.account
        self._ours = settings.account
        self._scope = settings.scope
        self._session = RucioSession(settings.model_copy(update=update))

    def attempt(self, deed: Deed, on: Belongings) -> Attempt:
        """Only what Rucio answered is an attempt; its silence is raised."""
        try:
            self._session.call(
                f"{deed} as {self.account}", lambda client: self._try(deed)(client, on)
            )
        except CredentialError:
            raise
        except LakeError as error:
            if not error.answered:
                raise
            return Attempt(done=False, code=error.code, words=str(error))
        return Attempt(done=True)

    def _try(self, deed: Deed) -> Try:
        tries: dict[Deed, Try] = {
            Deed.READ: lambda c, on: c.get_did(self._scope, on.dataset),
            Deed.REMOVE_RULE: lambda c, on: c.delete_replication_rule(on.rule_id),
            Deed.SHORTEN_RULE: lambda c, on: c.update_replication_rule(
                on.rule_id, {"lifetime": ONE_HOUR_SECONDS}
            ),
            Deed.ADD_RULE_BEYOND_QUOTA: lambda c, on: self._add_rule(c, on, self.account),
            Deed.ADD_RULE_FOR_US: lambda c, on: self._add_rule(c, on, self._ours),
            Deed.END_DATASET: lambda c, on: c.set_metadata(
                self._scope, on.dataset, "lifetime", ONE_HOUR_SECONDS
            ),
            Deed.DETACH_FILE: lambda c, on: c.detach_dids(
                self._scope, on.dataset, [self._did(on.file)]
            ),
            Deed.CLOSE_DATASET: lambda c, on: c.close(self._scope, on.dataset),
            Deed.MAKE_DATASET: lambda c, on: c.add_dataset(
                self._scope, f"{on.dataset}{MADE}", lifetime=ONE_HOUR_SECONDS
            ),
            Deed.ADD_REPLICA: lambda c, on: c.add_replicas(on.rse, [self._replica(on)]),
            Deed.DELETE_REPLICA: lambda c, on: c.delete_replicas(on.rse, [self._did(on.file)]),
            Deed.DECLARE_BAD: lambda c, on: c.declare_bad_file_replicas(
                [{**self._did(on.file), "rse": on.rse}], f"tried by {self.account}"
            ),
            Deed.RAISE_OWN_QUOTA: lambda c, on: c.set_local_account_limit(self.account, on.rse, 1),
        }
        return tries[deed]

    def _add_rule(self, client: Any, on: Belongings, account: str) -> Any:
        return client.add_replication_rule(
            [self._did(on.dataset)], 1, on.rse, lifetime=ONE_HOUR_SECONDS, account=account
        )

    def _did(self, name: str) -> dict[str, str]:
        return {"scope": self._scope, "name": name}

    def _replica(self, on: Belongings) -> dict[str, Any]:
        return {
            **self._did(f"{on.dataset}{MADE}.file"),
            "bytes": on.size_bytes,
            "adler32": "00000001",
        }
