"""The transfer service in memory."""

from dltest.errors import TransferError
from dltest.lake.ports import TransferFile
from dltest.lake.simulated.world import Hook, World, url_of


class SimulatedTransfers:
    """The transfer service: every job that a rule needed, named after the rule."""

    def __init__(self, world: World, on_call: Hook) -> None:
        self._world = world
        self._on_call = on_call

    def files(self, host: str, job_id: str) -> list[TransferFile]:
        self.ping(host)
        moved = [key for key, rule in self._world.moved.items() if job_id == f"job-{rule.id}"]
        return [self._file(job_id, name, rse) for name, rse in moved]

    def ping(self, host: str) -> None:
        self._on_call("transfers.ping", "before")
        if self._world.ails("transfer-service-down"):
            raise TransferError(
                f"{host} does not answer",
                code="transfer-service-unreachable",
                operation="read a transfer job",
                retryable=True,
                answered=False,
            )

    def _file(self, job_id: str, name: str, rse: str) -> TransferFile:
        rule = self._world.moved[name, rse]
        return TransferFile(
            job_id=job_id,
            source_url=url_of(rule.source or "", name),
            destination_url=url_of(rse, name),
            state="FINISHED",
            reason="",
            started_at=rule.created_at,
            finished_at=rule.done_at,
        )
