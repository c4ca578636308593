# The studio and the REST server, model inside; for a cluster's workers build with EXTRAS=cloud,ray,heic (docs/scale.md). Without PHOTOCHROM_TOKEN it makes up a token and prints it.
FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml LICENSE constraints.txt ./
COPY docs/description.md docs/
COPY src src
ARG EXTRAS=serve,heic
RUN python -m venv /opt/photochrom \
    && /opt/photochrom/bin/pip install --no-cache-dir --constraint constraints.txt ".[${EXTRAS}]"

FROM python:3.12-slim
RUN useradd --system --create-home photochrom
COPY --from=build /opt/photochrom /opt/photochrom
ENV PATH=/opt/photochrom/bin:$PATH PYTHONUNBUFFERED=1
USER photochrom
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s CMD \
    ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
CMD ["photochrom", "serve", "--host", "0.0.0.0", "--no-browser"]
