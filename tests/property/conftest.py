"""How long chance may take: a busy machine is no finding, so nothing here is judged by the clock."""

from hypothesis import HealthCheck, settings

settings.register_profile("dltest", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dltest")
