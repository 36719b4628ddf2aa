# The API, and the commands around it. PostgreSQL is a server of its own: see docker-compose.yml.
FROM python:3.11-slim AS build
WORKDIR /src
RUN python -m venv /opt/pgcredits
ENV PATH=/opt/pgcredits/bin:$PATH
COPY requirements.txt requirements-reference.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements.txt
# The files of Swagger UI for /schema. The package names Flask, which nothing here needs.
RUN pip install --no-cache-dir --require-hashes --no-deps -r requirements-reference.txt
COPY pyproject.toml README.md LICENSE ./
COPY api api
COPY migrations migrations
COPY sql sql
RUN pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim
RUN useradd --system --create-home pgcredits \
    && install --directory --owner=pgcredits /var/lib/pgcredits/pooler /var/lib/pgcredits/simulator
COPY --from=build /opt/pgcredits /opt/pgcredits
ENV PATH=/opt/pgcredits/bin:$PATH PYTHONUNBUFFERED=1
USER pgcredits
WORKDIR /home/pgcredits
EXPOSE 8000
ENTRYPOINT ["pgcredits"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
