#!/usr/bin/env bash
# Installs PostgreSQL where it is missing; the tests start a server of their own from it, and stop it.
set -euo pipefail
if command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
  exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "PostgreSQL is not installed, and cannot be: the tests of the store on PostgreSQL will skip" >&2
  exit 0
fi
# Debian would make and start a cluster of its own, which nobody needs here.
mkdir -p /etc/postgresql-common
grep -qs create_main_cluster /etc/postgresql-common/createcluster.conf ||
  echo "create_main_cluster = false" >>/etc/postgresql-common/createcluster.conf
(apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql) >/dev/null ||
  echo "PostgreSQL cannot be had here" >&2
