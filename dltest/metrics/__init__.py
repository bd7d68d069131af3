"""Metrics for Prometheus: the catalogue as data, and the exporter that reads the store.

The only place that touches prometheus_client.
"""

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from dltest.metrics.catalogue import CATALOGUE, Kind, Metric
from dltest.metrics.collector import StoreCollector

__all__ = ["CATALOGUE", "CONTENT_TYPE", "Kind", "Metric", "StoreCollector", "exposition"]

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


def exposition(collector: StoreCollector) -> bytes:
    """All metrics now, in Prometheus's text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    return generate_latest(registry)
