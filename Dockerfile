# Two small images from one build: baton-awsd (the default) and, with --target aws-sim, the AWS simulator that
# docker-compose.yml uses in place of AWS. Each holds one program, the shared libraries it needs, certificates, and
# no shell. docs/operations.md, "Container", tells how to run it.

FROM debian:12-slim AS build
WORKDIR /src
# The packages are a layer of their own: they change less often than the sources.
COPY dev ./
RUN ./dev deps run
COPY . .
RUN ./dev build release baton-awsd aws-sim
RUN deploy/make-root /root-of/baton-awsd build/release/baton-awsd && \
    deploy/make-root /root-of/aws-sim build/release/aws-sim

FROM scratch AS aws-sim
COPY --from=build /root-of/aws-sim /
LABEL org.opencontainers.image.title="aws-sim" \
      org.opencontainers.image.description="AWS simulator of baton-awsd, for tests and demonstrations" \
      org.opencontainers.image.licenses="Apache-2.0"
USER 65532:65532
EXPOSE 4566
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/aws-sim", "--listen", "0.0.0.0:4566"]

FROM scratch AS baton-awsd
ARG VERSION=0.1.0
ARG REVISION=
COPY --from=build /root-of/baton-awsd /
LABEL org.opencontainers.image.title="baton-awsd" \
      org.opencontainers.image.description="baton connector for AWS, as a gRPC server beside the sync engine" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
# Inside a container loopback is nobody's; as a variable it stays when options are added to the command.
ENV BATON_LISTEN=0.0.0.0:50051
USER 65532:65532
EXPOSE 50051
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=10s --retries=3 CMD ["/usr/bin/baton-awsd", "healthcheck"]
ENTRYPOINT ["/usr/bin/baton-awsd"]
CMD ["serve"]
