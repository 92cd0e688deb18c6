# The server alone, as a user without rights. Its data lies in /var/lib/countersign/data: mount a volume there, or name a
# PostgreSQL with COUNTERSIGN_DATABASE__URL.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked --bin countersign

# The same Debian as above, whose C library the binary is linked with.
FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/countersign --shell /usr/sbin/nologin countersign \
    && install -d -o countersign -g countersign -m 0700 /var/lib/countersign /var/lib/countersign/data
COPY --from=build /src/target/release/countersign /usr/local/bin/countersign
USER 10001
WORKDIR /var/lib/countersign
VOLUME /var/lib/countersign/data
ENV COUNTERSIGN_SERVER__LISTEN=0.0.0.0:50051
EXPOSE 50051
ENTRYPOINT ["countersign"]
CMD ["serve"]
