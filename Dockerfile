# The program in a container, for "serve" and every other command, PostgreSQL and "worker" included; docs/serve.md says how to run it. No secret gets into it:
# the workspace, with .env and database, is a volume.
FROM python:3.11-slim-bookworm AS build
WORKDIR /source
COPY constraints-cluster.txt ./
RUN python -m venv /opt/newsletter \
 && /opt/newsletter/bin/pip install --no-cache-dir --disable-pip-version-check --only-binary :all: --require-hashes --requirement constraints-cluster.txt
COPY pyproject.toml README.md LICENSE .env.example ./
COPY layouts layouts
COPY issues issues
COPY newsletter newsletter
RUN /opt/newsletter/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation . \
 && /opt/newsletter/bin/pip uninstall --yes --quiet hatchling editables pip

FROM python:3.11-slim-bookworm
COPY --from=build /opt/newsletter /opt/newsletter
ENV PATH=/opt/newsletter/bin:$PATH
RUN useradd --system --uid 10001 --no-create-home --home-dir /workspace newsletter \
 && install --directory --owner 10001 --group 10001 --mode 700 /workspace
USER 10001:10001
WORKDIR /workspace
VOLUME /workspace
EXPOSE 8025
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8025/healthz', timeout=4)"]
ENTRYPOINT ["newsletter"]
CMD ["serve", "--host", "0.0.0.0"]
