"""The last plan of each lake and selection, kept in the state folder to compare the next with."""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from dltest.errors import SettingsError


class LastPlan:
    """What `dltest plan` showed when it was last asked for the same."""

    def __init__(self, state_dir: Path, lake: str, asked: Mapping[str, object]) -> None:
        key = json.dumps({"lake": lake, **asked}, sort_keys=True)
        name = sha256(key.encode()).hexdigest()[:24]
        self._path = state_dir / "plans" / f"{name}.json"

    def recall(self) -> dict[str, int] | None:
        """Bytes by case; None if there was none, or it cannot be read any more."""
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            return {str(case): int(written) for case, written in kept.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            return None

    def remember(self, written: Mapping[str, int]) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._path.with_suffix(".new")
            fresh.write_text(json.dumps(dict(written)), encoding="utf-8")
            fresh.replace(self._path)
        except OSError as error:
            raise SettingsError(
                f"cannot keep the plan in {self._path.parent}: {error.strerror};"
                " set DLTEST_STATE_DIR to a folder of yours"
            ) from None
