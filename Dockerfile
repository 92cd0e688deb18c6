# The server alone, in production, as a user without rights. It says what it has to be told, and docs/operations.md shows
# how. Its data lies in /var/lib/countersign/data: mount a volume there, or name a PostgreSQL with
# COUNTERSIGN_DATABASE__URL_FILE.

FROM rust:1.95-slim-bookworm AS build
# What builds it, and what the calls need by which the build learns what runs.
RUN apt-get update && apt-get install --yes --no-install-recommends curl make postgresql python3 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN make release

# The same Debian as above, whose C library the binary is linked with.
FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/countersign --shell /usr/sbin/nologin countersign \
    && install -d -o countersign -g countersign -m 0700 /var/lib/countersign /var/lib/countersign/data
COPY --from=build /src/target/released/countersign /usr/local/bin/countersign
# The terms of what the binary holds: ours, and those of the list of common passwords.
COPY LICENSE-MIT LICENSE-APACHE src/domain/common_passwords.md /usr/share/doc/countersign/
USER 10001
WORKDIR /var/lib/countersign
VOLUME /var/lib/countersign/data
# Other machines reach a container's port, for which the development profile is not made.
ENV COUNTERSIGN_PROFILE=production COUNTERSIGN_SERVER__LISTEN=0.0.0.0:50051
EXPOSE 50051
ENTRYPOINT ["countersign"]
CMD ["serve"]
