#!/usr/bin/env bash
# The tests of Ray, in a virtual environment of their own (.venv-ray, kept between runs) and without a network.
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! unshare --net --mount --pid --fork --mount-proc bash -c 'ip link set lo up' 2>/dev/null; then
  echo "skipped: Ray listens on all addresses, and this machine gives no network namespace (unshare and ip, as root)"
  exit
fi
venv=.venv-ray
stamp=$(cat constraints.txt pyproject.toml | cksum)
if [ "$(cat $venv/stamp 2>/dev/null)" != "$stamp" ]; then
  rm -rf $venv
  python3 -m venv $venv
  $venv/bin/pip install -q -c constraints.txt torch
  $venv/bin/pip install -q -c constraints.txt --no-deps torchvision
  $venv/bin/pip install -q -c constraints.txt -e '.[cluster]' pytest hypothesis
  echo "$stamp" >$venv/stamp
fi
$venv/bin/pip check
PATH="$PWD/$venv/bin:$PATH" bash tests/cluster/alone.sh $venv/bin/python -m pytest -q -m ray tests/cluster
