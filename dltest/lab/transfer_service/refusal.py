"""A request that the service refuses, with the status and the words FTS uses."""

from http import HTTPStatus


class RefusedRequest(Exception):  # noqa: N818 - named after what happened, as FTS's own
    """Answered as `{"status": "400 Bad Request", "message": ...}`."""

    def __init__(self, message: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
