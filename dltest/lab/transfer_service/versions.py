"""What GET / says: the versions this service answers for, and where what is."""

from typing import Any

ROOT_ANSWER: dict[str, Any] = {
    "delegation": {"major": 1, "minor": 0, "patch": 0},
    "api": {"major": 3, "minor": 13, "patch": 4},
    "core": {"major": "3", "minor": "13", "patch": "3"},
    "schema": {"major": 9, "minor": 1, "patch": 0, "message": "dltest lab transfer service"},
    "_links": {
        "curies": [{"name": "fts", "href": "https://gitlab.cern.ch/fts/fts3"}],
        "fts:whoami": {"href": "/whoami", "title": "Check user certificate"},
        "fts:joblist": {
            "href": "/jobs{?vo_name,user_dn,dlg_id,state_in}",
            "title": "List of active jobs",
            "templated": True,
        },
        "fts:job": {
            "href": "/jobs/{id}",
            "title": "Job information",
            "templated": True,
            "hints": {"allow": ["GET", "DELETE"]},
        },
        "fts:jobsubmit": {
            "href": "/jobs",
            "hints": {"allow": ["POST"], "representations": ["fts:submitschema"]},
        },
    },
}
