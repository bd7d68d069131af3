"""The service: Celery workers that drive runs and move bytes, and beat that wakes them.

`tasks` stands between messages and the engine; `app` says how messages travel; `service` starts
processes. The only place that touches Celery and Redis.
"""
