"""Questions to a tape system: bring a file online, is it there yet, is it archived yet.

Runs in a copying process. Every answer has `done`, or `failure` with an errno; neither means
"ask again later".
"""

import errno
from typing import Any

import gfal2


def ask(context: Any, order: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {"event": "answer", "id": order["id"], "done": False}
    try:
        answer.update(_QUESTIONS[order["ask"]](context, order))
    except gfal2.GError as error:
        if error.code != errno.EAGAIN:
            answer["failure"] = {"code": error.code, "message": error.message}
    return answer


def _bring_online(context: Any, order: dict[str, Any]) -> dict[str, Any]:
    state, token = context.bring_online(
        order["url"],
        order["pin_seconds"],
        order["timeout_seconds"],
        True,  # noqa: FBT003 - asynchronous; the binding takes no keywords
    )
    return {"done": state > 0, "token": token}


def _poll(context: Any, order: dict[str, Any]) -> dict[str, Any]:
    return {"done": context.bring_online_poll(order["url"], order["token"]) > 0}


def _archived(context: Any, order: dict[str, Any]) -> dict[str, Any]:
    return {"done": context.archive_poll(order["url"]) > 0}


def _abort(context: Any, order: dict[str, Any]) -> dict[str, Any]:
    context.abort_bring_online(order["url"], order["token"])
    return {"done": True}


def _remove(context: Any, order: dict[str, Any]) -> dict[str, Any]:
    """What an ended copy may have left at its destination."""
    if order["bearer"]:
        context.cred_set(order["url"], context.cred_new("BEARER", order["bearer"]))
    context.unlink(order["url"])
    return {"done": True}


_QUESTIONS = {
    "bring_online": _bring_online,
    "poll": _poll,
    "archived": _archived,
    "abort": _abort,
    "remove": _remove,
}
