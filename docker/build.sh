#!/usr/bin/env bash
# Build the image: docker/build.sh IMAGE. Environment: CONTAINER_ENGINE BASE_IMAGE PUSH GPU TARGET BYTECODE
#
# PUSH=1 pushes it, prints the digest, and notes it in build/pushed-images for `python -m pipeline compile`.
set -euo pipefail
cd "$(dirname "$0")/.."
image=${1:?usage: docker/build.sh registry/name:tag}

works() { command -v "$1" >/dev/null && "$1" info >/dev/null 2>&1; }
engine=${CONTAINER_ENGINE:-}
if [ -z "$engine" ]; then
  for candidate in docker podman; do
    if works "$candidate"; then engine=$candidate && break; fi
  done
  [ -n "$engine" ] || {
    echo "image: no container engine works here: neither \`docker info\` nor \`podman info\` succeeds. Install Docker or" \
      "Podman, start it, or name one with CONTAINER_ENGINE=docker|podman." >&2
    exit 1
  }
elif ! works "$engine"; then
  echo "image: CONTAINER_ENGINE=$engine doesn't work here: see \`$engine info\`." >&2
  exit 1
fi

options=(--file docker/Dockerfile --target "${TARGET:-runtime}" --tag "$image")
options+=(--build-arg "VERSION=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)")
options+=(--build-arg "REVISION=$(git rev-parse HEAD 2>/dev/null || echo unknown)$(git diff --quiet HEAD 2>/dev/null || echo +changes)")
[ -z "${BASE_IMAGE:-}" ] || options+=(--build-arg "BASE=$BASE_IMAGE")
[ -z "${GPU:-}" ] || options+=(--build-arg 'TENSORFLOW=tensorflow[and-cuda]')
[ -z "${BYTECODE:-}" ] || options+=(--build-arg "BYTECODE=$BYTECODE")
case $engine in
  podman) options+=(--format docker --isolation chroot --network host --layers) ;;
esac
"$engine" build "${options[@]}" .

[ -n "${PUSH:-}" ] || exit 0
mkdir -p build
if [ "$engine" = podman ]; then
  podman push --digestfile build/.digest "$image"
  digest=$(cat build/.digest)
else
  docker push "$image"
  digest=$(docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$image" | grep -m 1 "^${image%:*}@" | cut -d@ -f2)
fi
echo "$image $digest" >>build/pushed-images
echo "pushed ${image%:*}@$digest"
