"""A Rucio policy package: what the lab's Rucio permits beyond the generic policy.

An experiment lets its data managers declare replicas bad by such a package; under the generic
policy `root` alone may.
"""
