# Build for another platform with "docker buildx build --platform linux/arm64 …".
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=dev
WORKDIR /src

# Modules change less often than sources.
COPY go.mod go.sum ./
RUN go mod download
COPY api api
COPY cmd/manager cmd/manager
COPY controllers controllers
COPY internal internal
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /manager ./cmd/manager

FROM gcr.io/distroless/static:nonroot
ARG VERSION=dev
LABEL org.opencontainers.image.title="ssm-access-operator" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version=$VERSION
COPY --from=build /manager /manager
# The image's user "nonroot", as a number: kubelet can then see that it is not root.
USER 65532:65532
ENTRYPOINT ["/manager"]
