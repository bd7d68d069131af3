"""From what happened to what it is worth: pure, so that old records can be judged again."""

from dltest.judge.judge import holds, judge

__all__ = ["holds", "judge"]
