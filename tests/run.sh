#!/usr/bin/env bash
# Every test, by tier or by layer. Prepares what is missing on a fresh Debian machine.
#
#   bash tests/run.sh quick               lint, types, scripts, and the unit and contract tests that are not marked slow
#   bash tests/run.sh                     all layers below but soak, pythons and ray
#   bash tests/run.sh release             those, too, and ten times as many mutated and random inputs
#   bash tests/run.sh LAYER... [PYTEST]   some: lint types js unit contract golden precision kernel browser notebooks remote soak pythons ray
#
# What follows goes to pytest: bash tests/run.sh browser -k explorer. Logs and reports lie in tests/artifacts.
# Own virtual environment in .venv-test, kept between runs. With CI set, a missing browser or node is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
SECONDS=0
whole=(lint types js contract golden unit remote precision kernel browser notebooks)
every=("${whole[@]}" soak pythons ray)

tier=whole
case "${1:-}" in quick | release) tier=$1 && shift ;; esac
layers=()
while [ $# -gt 0 ] && [[ " ${every[*]} " == *" $1 "* ]]; do layers+=("$1") && shift; done
if [ ${#layers[@]} = 0 ]; then
  case $tier in
    quick) layers=(lint types js unit contract) ;;
    whole) layers=("${whole[@]}") ;;
    release) layers=("${every[@]}") ;;
  esac
fi
[ $tier != whole ] || [ "${layers[*]}" = "${whole[*]}" ] || tier="${layers[*]}"
arguments=("$@")
[ "$tier" != release ] || export STYLEWIDGETS_TESTS=release
wanted() { [[ " ${layers[*]} " == *" $1 "* ]]; }

# -- what is missing ---------------------------------------------------------------------------------------------------
export PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONWARNINGS="${PYTHONWARNINGS:-}" MPLBACKEND=agg
has() { command -v "$1" >/dev/null; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
apt_install() { as_root apt-get update -q && as_root apt-get install -y -q --no-install-recommends "$@"; }
may_lack() { has apt-get && apt_install "$@" || [ -z "${CI:-}" ]; } # its tests are skipped then

python3 -c 'import venv, ensurepip' 2>/dev/null || apt_install python3 python3-venv
if { wanted browser || wanted notebooks; } && ! has chromium; then
  # The fonts are what JupyterLab's interface is drawn in: without any, every label is a box.
  may_lack chromium fonts-dejavu-core fonts-liberation
fi
modules=tests/js/node_modules # the linter of the scripts; the browser tests take axe-core from there
if wanted js || wanted browser; then
  { has node && has npm; } || may_lack nodejs npm
  lock=$(cksum <tests/js/package-lock.json)
  if has npm && [ "$(cat $modules/stamp 2>/dev/null)" != "$lock" ]; then
    npm ci --prefix tests/js --no-audit --no-fund --loglevel=error && echo "$lock" >$modules/stamp
  fi
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
  echo "$stamp" >$venv/stamp
fi
export PATH="$PWD/$venv/bin:$PATH"
# Small networks lose by sharing a busy machine: one thread each.
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"

# -- the layers --------------------------------------------------------------------------------------------------------
tests() { # tests NAME PYTEST...: the command line's arguments may leave nothing of a layer (5), which is no failure
  local name=$1
  shift
  pytest -q --junitxml "tests/artifacts/$name.xml" "$@" ${arguments[@]+"${arguments[@]}"} || [ $? = 5 ]
}

run_lint() { ruff check . && ruff format --check .; }
run_types() { mypy; }
run_js() {
  has node && has npm || { echo "skipped: node and npm are not installed" && return; }
  $modules/.bin/eslint --config tests/js/eslint.config.js stylewidgets tests/js && node --test --test-reporter=spec tests/js/*.test.js
}
some=()
[ "$tier" != quick ] || some=(-m "not slow")
run_unit() { tests unit -n 2 --dist worksteal tests/unit ${some[@]+"${some[@]}"}; }
run_remote() { tests remote tests/remote ${some[@]+"${some[@]}"}; } # servers and clients on loopback
run_contract() { tests contract tests/contract ${some[@]+"${some[@]}"}; }
run_golden() { tests golden tests/golden; }
run_precision() { # what the unit layer ran as the processor is, with its bf16 and AVX-512 hidden from the library that multiplies
  ONEDNN_MAX_CPU_ISA=AVX2 tests precision tests/unit/*precision* tests/unit/*session* tests/unit/*factor*
}
run_kernel() { tests kernel tests/kernel; }
run_browser() { tests browser tests/browser; }
run_notebooks() { # all but 05 are run as they are by tests of their own
  tests notebooks --nbval-lax --ignore-glob='notebooks/0[1234678]_*' notebooks tests/notebooks
}
run_soak() { tests soak tests/soak; }
run_pythons() { bash tests/pythons.sh; }
run_ray() { bash tests/cluster/run.sh; }

results=tests/artifacts/results
rm -rf $results
mkdir -p $results
step() { # step LAYER: runs it, shows its log in one piece, remembers how it ended
  local name=$1 begin=$SECONDS verdict=passed log=tests/artifacts/$1.log
  "run_$name" >"$log" 2>&1 || verdict=FAILED
  verdict="$verdict ($((SECONDS - begin)) s)"
  echo "$verdict" >"$results/$name"
  printf '== %s\n%s\n== %s: %s\n' "$name" "$(cat "$log")" "$name" "$verdict"
}
lane() { # lane LAYER...: those of them that are wanted, one after the other
  local name
  for name in "$@"; do ! wanted "$name" || step "$name"; done
}

trap 'trap - INT TERM; kill 0' INT TERM # the first lane would outlive an interrupt
# Two lanes side by side, about as long; the browser takes the longest, and mostly waits.
lane browser golden precision &
lane lint types js contract unit remote kernel notebooks
wait
lane soak pythons ray

# -- the end -----------------------------------------------------------------------------------------------------------
echo
for name in "${layers[@]}"; do echo "$name: $(cat "$results/$name" 2>/dev/null || echo FAILED)"; done | tee $results/summary
echo "$tier: $SECONDS s. Logs, screenshots and reports: tests/artifacts"
! grep -q FAILED $results/summary
