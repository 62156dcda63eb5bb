#!/usr/bin/env bash
# Prepares everything on a fresh Debian machine and runs every test: bash tests/run.sh [pytest arguments]
# Own virtual environment in .venv-test, kept between runs. With CI set, a missing browser is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
SECONDS=0
export PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONWARNINGS="${PYTHONWARNINGS:-}" MPLBACKEND=agg

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
apt_install() { as_root apt-get update -q && as_root apt-get install -y -q --no-install-recommends "$@"; }

python3 -c 'import venv, ensurepip' 2>/dev/null || apt_install python3 python3-venv
if ! command -v chromium >/dev/null && command -v apt-get >/dev/null; then
  # The fonts are what JupyterLab's interface is drawn in: without any, every label is a box.
  apt_install chromium fonts-dejavu-core fonts-liberation || [ -z "${CI:-}" ]
fi

venv=.venv-test
stamp=$(cat constraints.txt pyproject.toml | cksum)
if [ "$(cat $venv/stamp 2>/dev/null)" != "$stamp" ]; then
  rm -rf $venv
  python3 -m venv $venv
  $venv/bin/pip install -q -c constraints.txt torch
  # torchvision is asked for without its dependencies, or it may replace torch by a CUDA build.
  $venv/bin/pip install -q -c constraints.txt --no-deps torchvision
  $venv/bin/pip install -q -c constraints.txt -e '.[lab,test]'
  echo "$stamp" > $venv/stamp
fi
export PATH="$PWD/$venv/bin:$PATH"
# Small networks lose by sharing a busy machine: one thread each.
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
mkdir -p tests/artifacts

failed=()
step() { # step NAME COMMAND...: runs it and remembers whether it failed, so that one summary names all that did
  local name=$1 begin=$SECONDS
  shift
  echo "== $name"
  if "$@"; then echo "== $name: passed ($((SECONDS - begin)) s)"; else failed+=("$name"); echo "== $name: FAILED"; fi
}
layer() { # a layer of tests by its name
  local name=$1 # the command line's arguments may leave nothing of a layer (5), which is no failure
  shift
  pytest -q --junitxml "tests/artifacts/$name.xml" "$@" || [ $? = 5 ]
}

step "ruff" ruff check .
step "format" ruff format --check .
step "types" mypy
step "unit and golden" layer unit tests/unit tests/golden "$@"
step "kernel" layer kernel tests/kernel "$@"
step "browser" layer browser tests/browser "$@"
step "notebooks" layer notebooks --nbval-lax notebooks tests/notebooks "$@"

echo
if [ ${#failed[@]} -gt 0 ]; then
  printf 'FAILED: %s\n' "${failed[@]}"
  exit 1
fi
echo "All passed in $SECONDS s. Screenshots and reports: tests/artifacts"
