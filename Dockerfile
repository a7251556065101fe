# The image of prom-migrator. Nothing in it needs a shell, root or a file system that can be written to.
#
#   docker build --tag prom-migrator .
#
# NODE_IMAGE builds: Node 24 or newer with npm. RUNTIME_IMAGE runs: any image with the same C library that has `node` on its PATH, such
# as a distroless one. Name them with a digest where builds must be repeatable. The address and credentials of a private npm registry
# are given as a build secret and stay out of the image, --secret id=npmrc,src=$HOME/.npmrc, and so is a private authority:
# --secret id=authorities,src=/etc/ssl/certs/ca-certificates.crt with cafile=/run/secrets/authorities in that npmrc.
ARG NODE_IMAGE=docker.io/library/node:26.10.0-slim
ARG RUNTIME_IMAGE=${NODE_IMAGE}

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# With the optional dependencies: the bundler's binary is one. Without the workspace, which is a Node for checkouts.
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=secret,id=authorities \
    npm ci --workspaces=false --include=dev --include=optional --ignore-scripts
COPY tsconfig.json ./
COPY bin bin
COPY scripts/build.ts scripts/build-program.ts scripts/bundle.ts scripts/bundle-plugins.ts scripts/compile-code.ts scripts/compile-crd.ts scripts/compile-kernel.ts scripts/compile-proto.ts scripts/example-stores.ts scripts/kernel-stamp.mjs scripts/licences.ts scripts/packs.ts scripts/
COPY crds crds
COPY kernel kernel
COPY proto proto
COPY src src
# The compiled code beside the program is for the Node of this stage. With another Node at run time, the program compiles itself at each start.
RUN node scripts/build.ts

FROM ${RUNTIME_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=
LABEL org.opencontainers.image.title="prom-migrator" \
      org.opencontainers.image.description="Moves Prometheus data from any remote_read source to any remote_write destination" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# What the launcher sets: one malloc arena, large pieces given back at once, and below little memory for short-lived objects. Memory that
# comes and goes with every window stays small.
ENV NODE_ENV=production MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=131072
WORKDIR /app
COPY LICENSE package.json ./
COPY bin bin
COPY crds crds
COPY --from=build /build/dist dist
# A number, so that Kubernetes can see that it is not root.
USER 65532:65532
EXPOSE 8080
# Node is the first process of the container and handles its signals itself.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "--max-semi-space-size=4", "/app/bin/prom-migrator.mjs"]
CMD ["--help"]
