"""`bench engine`: what one machine's service carries, and how it grows with what it remembers.

The lake is an instant one (`instant`), so that only dltest, PostgreSQL and Redis are measured.
"""
