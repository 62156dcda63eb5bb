"""The build of the native sources: all at once, only what changed, by one process at a time."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from stylewidgets.ops.native import build, compilers
from stylewidgets.ops.native.compilers import Compiler

FAKE = """#!{python}
# Stands for a compiler: "makes" a library that holds the source and what it includes, and says what that was.
import pathlib, re, sys
arguments = sys.argv[1:]
source = next(a for a in arguments if a.endswith(".cpp"))
gnu = "-o" in arguments
out = arguments[arguments.index("-o") + 1] if gnu else next(a[3:] for a in arguments if a.startswith("/Fe"))
text = pathlib.Path(source).read_text()
if "broken" in text:
    sys.exit(f"{{source}}:1: error: what is broken?")
headers = re.findall(r'#include "(.*?)"', text)
if gnu:
    pathlib.Path(arguments[arguments.index("-MF") + 1]).write_text(f"{{out}}: {{source}} {{' '.join(headers)}}\\n")
for header in headers if not gnu else []:
    print(f"Note: including file: {{header}}")
pathlib.Path(out).write_text(text + "".join(pathlib.Path(h).read_text() for h in headers))
"""


def executable(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.format(python=sys.executable))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "one.cpp").write_text('#include "shared.h"\n')
    (folder / "two.cpp").write_text("// alone\n")
    (folder / "shared.h").write_text("// first\n")
    monkeypatch.setattr(build, "HERE", folder)
    (tmp_path / "home").mkdir()
    build.built.cache_clear()
    yield folder
    build.built.cache_clear()


@pytest.fixture(params=["gnu", "msvc"])
def compiler(request: pytest.FixtureRequest, tmp_path: Path) -> Compiler:
    fake = str(executable(tmp_path / "bin $x" / ("c++" if request.param == "gnu" else "cl"), FAKE))
    if request.param == "gnu":
        return Compiler((fake, *compilers.FLAGS))
    # The quotes of Windows are not those of the shell here, so its suffix is left out.
    return Compiler((fake, *compilers.WINDOWS_FLAGS), compilers._MSVC)


def again(compiler: Compiler, tmp_path: Path) -> tuple[dict[str, int], dict[str, str]]:
    """Build as a new process would: time of each library, and what failed."""
    build.built.cache_clear()
    folder, failed = build.built(compiler, tmp_path / "home")
    return {p.stem: p.stat().st_mtime_ns for p in folder.glob("*.so")}, failed


def test_only_what_depends_on_a_change_is_built_anew(sources: Path, compiler: Compiler, tmp_path: Path) -> None:
    first, failed = again(compiler, tmp_path)
    assert set(first) == {"one", "two"} and not failed
    assert again(compiler, tmp_path)[0] == first
    old = sources / "shared.h"
    old.write_text("// second\n")
    os.utime(old, (1, 1))  # installers keep dates of long ago
    second, _ = again(compiler, tmp_path)
    assert second["two"] == first["two"] and second["one"] > first["one"]
    (sources / "two.cpp").write_text("// other\n")
    third, _ = again(compiler, tmp_path)
    assert third["one"] == second["one"] and third["two"] > second["two"]


def test_another_flag_or_compiler_is_another_folder(sources: Path, compiler: Compiler, tmp_path: Path) -> None:
    folder, _ = build.built(compiler, tmp_path / "home")
    other, _ = build.built(compiler._replace(words=(*compiler.words, "-g")), tmp_path / "home")
    assert other != folder
    fake = Path(compiler.words[0])
    fake.write_text(fake.read_text() + "# version 2\n")
    build.built.cache_clear()
    assert build.built(compiler, tmp_path / "home")[0] not in (folder, other)


def test_a_source_that_fails_takes_no_other_with_it_and_no_old_one_stands_for_it(
    sources: Path, compiler: Compiler, tmp_path: Path
) -> None:
    again(compiler, tmp_path)
    (sources / "one.cpp").write_text("broken\n")
    (sources / "two.cpp").write_text("// new\n")
    times, failed = again(compiler, tmp_path)
    assert set(times) == {"two"} and "what is broken?" in failed["one"] and set(failed) == {"one"}
    (sources / "one.cpp").write_text("// whole again\n")
    times, failed = again(compiler, tmp_path)
    assert set(times) == {"one", "two"} and not failed


def test_two_processes_at_once_build_once(sources: Path, tmp_path: Path) -> None:
    slow = FAKE.replace("import pathlib", "import time; time.sleep(0.3)\nimport pathlib").replace(
        "pathlib.Path(out).write_text(", 'open("../log", "a").write(out + "\\n"); pathlib.Path(out).write_text('
    )
    fake = executable(tmp_path / "c++", slow)
    program = (
        "import sys, pathlib\nfrom stylewidgets.ops.native import build\n"
        "from stylewidgets.ops.native.compilers import Compiler\n"
        f"build.HERE = pathlib.Path({str(sources)!r})\n"
        f"folder, failed = build.built(Compiler(({str(fake)!r},)), pathlib.Path({str(tmp_path / 'home')!r}))\n"
        "assert not failed and len(list(folder.glob('*.so'))) == 2"
    )
    several = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(2)]
    assert [one.wait(timeout=120) for one in several] == [0, 0]
    assert sorted((tmp_path / "home" / "log").read_text().split()) == ["one.so", "two.so"]


def test_without_ninja_the_reason_is_told(
    sources: Path, compiler: Compiler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ninja", None)
    monkeypatch.setattr(build.shutil, "which", lambda name, *_, **__: None if name == "ninja" else name)
    with pytest.raises(OSError, match="pip install ninja"):
        build.built(compiler, tmp_path / "home")


def test_a_compiler_with_arguments_in_cxx_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "ccache g++")
    found = compilers.find()
    assert found is not None and found.words[:2] == ("ccache", "g++")


def test_a_cxx_that_is_no_command_is_told_and_plain_torch_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLEWIDGETS_COMPILE", "1")
    monkeypatch.setenv("CXX", 'g++ "-O3')
    with pytest.warns(RuntimeWarning, match="CXX is no command"):
        assert build.library.__wrapped__("_colours") is None


def test_a_damaged_folder_of_builds_is_mended(sources: Path, compiler: Compiler, tmp_path: Path) -> None:
    first, _ = again(compiler, tmp_path)
    for file in (tmp_path / "home").rglob("*.ninja"):
        file.write_bytes(b"\xff\xfe")
    assert again(compiler, tmp_path)[0].keys() == first.keys()


def test_on_windows_a_compiler_on_the_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cl = executable(tmp_path / "cl", FAKE)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = compilers.of_windows()
    assert found is not None and found.words[0] == str(cl) and found.suffix == ".dll"
    assert "/LD" in found.line() and ("VSLANG", "1033") in found.environment
    better = executable(tmp_path / "clang-cl", FAKE)
    found = compilers.of_windows()
    assert found is not None and found.words[0] == str(better)


def test_on_windows_visual_studio_is_asked_where_its_compiler_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cl = executable(tmp_path / "vs tools" / "cl", FAKE)
    installer = tmp_path / "Microsoft Visual Studio" / "Installer"
    executable(installer / "vswhere.exe", f"#!/bin/sh\necho '{tmp_path}/VS'\n")
    executable(tmp_path / "bin" / "cmd", f"#!/bin/sh\necho 'Path={cl.parent}'\necho 'INCLUDE=C:\\inc'\necho nonsense\n")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PROGRAMFILES(X86)", str(tmp_path))
    found = compilers.of_windows()
    assert found is not None and found.words[0] == str(cl) and f'"{cl}"' in found.line()
    assert dict(found.environment) == {"PATH": str(cl.parent), "INCLUDE": "C:\\inc", "VSLANG": "1033"}
    monkeypatch.setenv("PROGRAMFILES(X86)", str(tmp_path / "none"))
    assert compilers.of_windows() is None


@pytest.mark.skipif(compilers.find() is None, reason="no C++ compiler")
def test_one_broken_source_is_one_warning_and_the_others_are_loaded(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STYLEWIDGETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("STYLEWIDGETS_COMPILE", raising=False)
    (sources / "one.cpp").write_text("this is no C++\n")
    (sources / "two.cpp").write_text(
        'extern "C" void stylewidgets_fork(void*) {}\nextern "C" int two() { return 2; }\n'
    )
    build.library.cache_clear()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            made = build.library("two")
        assert made is not None and made.two() == 2
        with pytest.warns(RuntimeWarning, match=r"one.cpp could not be compiled with"):
            assert build.library("one") is None
    finally:
        build.library.cache_clear()


@pytest.mark.slow
@pytest.mark.skipif(compilers.find() is None, reason="no C++ compiler")
def test_the_vectors_for_other_compilers_give_the_same_numbers(tmp_path: Path) -> None:
    program = (
        "import torch\n"
        "from stylewidgets.ops import filtered_lrelu as f\n"
        "from stylewidgets.ops.native import colours, winograd\n"
        "torch.manual_seed(0)\n"
        "x, taps = torch.randn(1, 19, 21, 17), torch.rand(12) / 12\n"
        "last = dict(memory_format=torch.channels_last)\n"
        "with torch.no_grad():\n"
        "    a = f.filtered_lrelu(x.clone(), torch.ones(19), taps, taps, up=2, down=2, padding=(9, 8), clamp=1.5)\n"
        "    b = colours.to_colours(x.contiguous(**last), torch.randn(1, 3, 19), torch.randn(3), 1.0)\n"
        "    weight = winograd.packed(torch.randn(21, 19, 3, 3), 1)\n"
        "    c = winograd.convolution(x, weight, torch.rand(1, 19), torch.rand(1, 21), torch.randn(21), clamp=2.0)\n"
        "y = x.clone().requires_grad_()\n"
        "f.filtered_lrelu(y, torch.ones(19), taps, taps, up=2, down=2, padding=(9, 8)).square().sum().backward()\n"
        f"torch.save([a.clone(), b.clone(), c.clone(), y.grad], {str(tmp_path)!r} + '/out.pt')\n"
    )
    found = []
    for flags in ("", " -DSTYLEWIDGETS_PLAIN_VECTORS"):
        given = compilers.find()
        assert given is not None
        environment = {**os.environ, "CXX": given.words[0] + flags, "STYLEWIDGETS_CACHE": str(tmp_path)}
        environment.pop("STYLEWIDGETS_COMPILE", None)
        subprocess.run([sys.executable, "-W", "error::RuntimeWarning", "-c", program], check=True, env=environment)
        found.append(torch.load(tmp_path / "out.pt", weights_only=True))
    for one, other in zip(*found, strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-5)
