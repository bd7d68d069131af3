"""From what happened to what it is worth: pure, so that old records can be judged again."""

from dltest.judge.judge import holds, judge
from dltest.judge.skipped import not_supported, skipped

__all__ = ["holds", "judge", "not_supported", "skipped"]
