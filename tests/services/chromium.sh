#!/usr/bin/env bash
# Installs Chromium where it is missing; the test of JupyterLab drives it with Playwright.
set -euo pipefail
if command -v chromium >/dev/null; then
  exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "Chromium is not installed, and cannot be: the test of JupyterLab will skip" >&2
  exit 0
fi
(apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core) >/dev/null ||
  echo "Chromium cannot be had here" >&2
