#!/usr/bin/env bash
# The fast unit tests under every Python that is promised, and with the lowest versions that pyproject.toml allows:
#   bash tests/pythons.sh [VERSION...]    of 3.10 3.11 3.12 3.13 lowest
# A Python that is not here is skipped by name. Where torch has no CPU build for it, what needs no torch is tested.
set -euo pipefail
cd "$(dirname "$0")/.."
export PIP_DISABLE_PIP_VERSION_CHECK=1 MPLBACKEND=agg OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
torch=$(sed -n 's/^torch==//p' constraints.txt)
torchvision=$(sed -n 's/^torchvision==//p' constraints.txt)

interpreter() { # interpreter VERSION: its path, on the PATH or among those of pyenv
  local path
  for path in "$(command -v "python$1")" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python; do
    if [ -x "$path" ] && "$path" -c 'import venv, ensurepip' 2>/dev/null; then echo "$path" && return; fi
  done
  return 1
}

prepare() { # prepare VENV PYTHON [--lowest]: everything but, perhaps, torch
  local venv=$1 python=$2 stamp without=(torch)
  shift 2
  stamp=$(cat constraints.txt pyproject.toml | cksum)
  [ "$(cat "$venv/stamp" 2>/dev/null)" != "$stamp" ] || return 0
  rm -rf "$venv"
  "$python" -m venv "$venv" && "$venv/bin/pip" install -q tomli || return 1
  # Never a build for CUDA, whoever asks for one. lpips asks for torchvision, and that for a torch of its own choice.
  printf '%s\n' "torch==$torch+cpu" "torchvision==$torchvision" >"$venv/constraints.txt"
  if ! "$venv/bin/pip" install -q "torch==$torch+cpu" 2>/dev/null; then
    without+=(lpips triton)
  elif ! "$venv/bin/pip" install -q --no-deps "torchvision==$torchvision"; then
    return 1
  fi
  "$venv/bin/python" tests/requirements.py "$@" --without "${without[@]}" >"$venv/requirements.txt" &&
    "$venv/bin/pip" install -q -c "$venv/constraints.txt" -r "$venv/requirements.txt" &&
    "$venv/bin/pip" install -q --no-deps -e . && echo "$stamp" >"$venv/stamp"
}

failed=()
versions=("$@")
[ $# -gt 0 ] || versions=(3.10 3.11 3.12 3.13 lowest)
for version in "${versions[@]}"; do
  options=()
  if [ "$version" = lowest ]; then
    python=$(command -v python3) options=(--lowest)
  elif ! python=$(interpreter "$version"); then
    echo "== Python $version: skipped, there is no interpreter" && continue
  fi
  venv=.venv-test-$version
  if ! (prepare "$venv" "$python" ${options[@]+"${options[@]}"}); then
    echo "== Python $version: FAILED to install" && failed+=("$version") && continue
  fi
  "$venv/bin/python" -c 'import torch' 2>/dev/null || echo "== Python $version: torch skipped, it has no CPU build here"
  if "$venv/bin/python" -m pytest -q -p no:cacheprovider -m "not slow" tests/unit; then
    echo "== Python $version: passed"
  else
    echo "== Python $version: FAILED" && failed+=("$version")
  fi
done
[ ${#failed[@]} = 0 ]
