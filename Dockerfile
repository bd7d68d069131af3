# dltest's services in one image: web, worker, transfer and beat differ only in their command.
# Tags, not digests: pin the digest of your own registry's copy where you need the very same bytes.
FROM debian:12-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates python3-venv
WORKDIR /opt/dltest
COPY scripts/setup/uv.txt ./
RUN python3 -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir -r uv.txt
ENV UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_NO_CACHE=1
COPY pyproject.toml uv.lock README.md LICENSE ./
COPY dltest dltest
RUN /opt/uv/bin/uv sync --locked --no-dev --no-editable --python /usr/bin/python3 \
    --extra postgres --extra web --extra worker

FROM debian:12-slim
# Only what moves bytes: the servers of packages.debian belong to the lab, not to this image.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates python3 python3-gfal2 \
    gfal2-plugin-file gfal2-plugin-http gfal2-plugin-xrootd xrootd-client \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --home-dir /var/lib/dltest --uid 10001 dltest
COPY --from=build /opt/dltest/.venv /opt/dltest/.venv
COPY scenarios /opt/dltest/scenarios
RUN ln -s /usr/lib/python3/dist-packages/gfal2.cpython-311-*.so \
    /opt/dltest/.venv/lib/python3.11/site-packages/
ENV PATH=/opt/dltest/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DLTEST_SCENARIOS=/opt/dltest/scenarios \
    DLTEST_STATE_DIR=/var/lib/dltest/state
USER dltest
WORKDIR /var/lib/dltest
ENTRYPOINT ["dltest"]
CMD ["--help"]
