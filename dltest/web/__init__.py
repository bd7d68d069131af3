"""The web service: `/metrics`, health, and plain pages to look at. Nothing here acts.

The only place that touches FastAPI and Jinja2.
"""
