"""Alembic's migrations, run by `dltest.store.migrate`."""
