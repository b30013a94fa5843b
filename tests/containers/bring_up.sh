#!/usr/bin/env bash
# Bring up a container engine and a base image where there is neither Docker nor a registry: bring_up.sh STATE
#
# As root on Debian: podman, runc and a registry from the distribution, a bare Debian 13 root from debootstrap as base
# image. STATE is a folder for the engine's settings and its socket. Prints shell assignments: CONTAINER_ENGINE,
# BASE_IMAGE, DOCKER_HOST, CONTAINERS_CONF. A second call finds everything in place and takes a second.
set -euo pipefail
mkdir -p "$1"
state=$(realpath "$1")
base=localhost/debian:13
export CONTAINERS_CONF=$state/containers.conf DEBIAN_FRONTEND=noninteractive

missing=
for tool in podman runc debootstrap docker-registry; do command -v "$tool" >/dev/null || missing+=" $tool"; done
if [ -n "$missing" ]; then
  [ "$(id -u)" = 0 ] || { echo "bring_up: as root I could install$missing; install them and try again" >&2; exit 1; }
  apt-get update -qq >&2
  # shellcheck disable=SC2086
  apt-get install -y -qq --no-install-recommends $missing >&2
fi

# runc instead of crun, limits that an unprivileged machine may set, and the host's network: no firewall to set up.
cat >"$CONTAINERS_CONF" <<CONF
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
netns = "host"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
CONF

if ! podman image exists "$base"; then
  root=$(mktemp -d)
  trap 'rm -rf "$root"' EXIT
  mirror=$(grep -hoE '^(deb|URIs:) [^ ]+' /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null | head -n 1 | cut -d' ' -f2 || true)
  debootstrap --variant=minbase --include=ca-certificates trixie "$root" ${mirror:+"$mirror"} >&2
  # A machine behind a proxy of its own has its certificates and apt settings here.
  rm -rf "$root/etc/ssl/certs"
  cp -rL /etc/ssl/certs "$root/etc/ssl/"
  cp -r /etc/apt/apt.conf.d "$root/etc/apt/"
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
  tar -C "$root" --exclude=./dev --exclude=./proc --exclude=./sys -cf - . | podman import --quiet - "$base" >&2
fi

socket=$state/podman.sock
if ! curl -sf --max-time 5 --unix-socket "$socket" http://engine/_ping >/dev/null; then
  rm -f "$socket"
  # In a folder that stays: it outlives this run, and can start nothing once the checkout that it began in is gone.
  (cd / && exec setsid podman system service --time=0 "unix://$socket" >"$state/podman.log" 2>&1 </dev/null) &
  echo $! >"$state/podman.pid"
  for _ in $(seq 300); do
    [ -S "$socket" ] && break
    sleep 0.2
  done
fi
echo "export CONTAINER_ENGINE=podman BASE_IMAGE=$base DOCKER_HOST=unix://$socket CONTAINERS_CONF=$CONTAINERS_CONF"
