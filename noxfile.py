"""What must hold before a commit: ``nox``. What else there is to run: ``nox -l``.

Every default session runs on the Python that runs nox; ``tests-3.12`` and its like are there for
whoever has that interpreter. The package is built and installed, never taken from the checkout.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nox
from nox.command import CommandFailed

nox.needs_version = ">=2026.4"
nox.options.default_venv_backend = "virtualenv"
nox.options.error_on_missing_interpreters = False
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "typing", "typing_legacy", "tests_lowest", "tests"]

PROJECT = nox.project.load_toml("pyproject.toml")
OTHER_PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
ON_EVERY_CORE = ("-q", "-n", str(CORES + 1))  # one works while another waits for a process, or for a moment to pass
SEEDS_AT_ONCE = 100  # of a sweep: a run of pytest knows all of its tests from the beginning
# In tests/: what makes no use of trio and attrs, what looks at the tests themselves, more random examples of the same.
THE_SAME_WITH_ANY_VERSION = (
    "bench", "docs", "examples", "hostile/test_any_octets.py", "hostile/test_subscriptions.py", "house_rules",
    "interop", "pgm/test_liars.py", "pgm/test_simulation.py", "scale", "scenarios/test_the_net_catches_fish.py", "cli",
    "test_leak_guard.py", "testing/test_diagram_*.py", "testing/test_plugin*.py", "patterns", "pipes",
    "zmtp/test_any_octets.py", "zmtp/test_costs.py", "zmtp/test_libzmq_*.py", "zmtp/test_pairs.py",
)  # fmt: skip
WAITS = re.compile(r"\b(async|await|trio)\b")
_CODE = ("triomq", "triomq_command.py", "tests", "examples", "bench", "docs", "noxfile.py")
CODE = [path for path in _CODE if Path(path).exists()]


def install(session: nox.Session, *groups: str, package: bool = True, constraints: tuple[str, ...] = ()) -> None:
    """Install dependency groups and, built as for a release, the package, in one go of pip."""
    wanted = nox.project.dependency_groups(PROJECT, *groups)
    session.install("-q", *wanted, *constraints, *(["."] if package else []))


def environment(session: nox.Session) -> dict[str, str]:
    """In which neither Python nor a process that it starts finds the checkout before what is installed.

    Compiled modules are kept in one directory for all sessions: pytest, which every other test of a plugin starts anew,
    would else compile all plugins each time, and each session the tests.
    """
    cache = str(Path(session.virtualenv.location).absolute().parent / "pycache")
    return {"PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": cache}


def run_pytest(session: nox.Session, *arguments: str) -> None:
    """Run pytest on what is installed."""
    env = {**environment(session), "TRIOMQ_INSTALLED": session.virtualenv.location}
    session.run("pytest", *arguments, *session.posargs, env=env)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, spelling, and the traps of trio that a linter can see."""
    install(session, "lint", package=False)
    session.run("ruff", "check", *CODE)
    session.run("ruff", "format", "--check", *CODE)
    session.run("codespell", *CODE, "CONTRIBUTING.md", *(["README.md"] if Path("README.md").exists() else []))
    # What neither waits nor knows trio has none of its traps.
    sources = [str(path) for path in sorted(Path("triomq").rglob("*.py")) if WAITS.search(path.read_text("utf-8"))]
    # 114 wants every function with a task_status listed on this command line; the 900s want a checkpoint in every
    # async function, and inside there is one when a task waits, and once in 64 messages.
    disabled = "ASYNC114,ASYNC900,ASYNC910,ASYNC911,ASYNC912,ASYNC913"
    command = ("python", "-m", "flake8_async", "--disable", disabled)
    with ThreadPoolExecutor() as pool:  # flake8-async is slow, and uses one core
        halves = sources[::2], sources[1::2]
        list(pool.map(lambda half: session.run(*command, *half), halves))


@nox.session
def typing(session: nox.Session) -> None:
    """Our own types, the types a user sees, and that no public name lacks one."""
    install(session, "typing")
    session.run("mypy")
    # It would prefer a .venv in the project.
    python = str(Path(session.bin).absolute() / "python")
    session.run("basedpyright", "--pythonpath", python, "--level", "error")
    with session.chdir(session.create_tmp()):  # where only the installed package can be found
        session.run("basedpyright", "--pythonpath", python, "--verifytypes", "triomq", "--ignoreexternal")


@nox.session
def typing_legacy(session: nox.Session) -> None:
    """A user who still has trio-typing can use triomq, and is told the truth about its channels.

    Its stubs shadow trio's own types and its mypy plugin crashes on every current mypy; so it has this
    environment to itself, the plugin stays off, and only the user's own file is reported on.
    """
    install(session, "typing-legacy")
    program = Path("tests/typing/downstream.py").resolve()
    with session.chdir(session.create_tmp()):
        session.run("python", str(program), env={"PYTHONSAFEPATH": "1"})
        session.run("mypy", "--config-file=", "--strict", "--follow-imports=silent", str(program))


@nox.session
def tests_lowest(session: nox.Session) -> None:
    """The oldest trio and attrs that we promise to work with: what could notice them, and each scenario once."""
    install(session, "test", constraints=("trio==0.31.0", "attrs==23.2.0"))
    missing = [path for path in THE_SAME_WITH_ANY_VERSION if not any(Path("tests").glob(path))]
    if missing:
        session.error(f"there is no tests/{missing[0]}: what is left out here?")
    others = [f"--ignore-glob=tests/{path}" for path in THE_SAME_WITH_ANY_VERSION]
    session.env["HYPOTHESIS_PROFILE"] = "brief"
    run_pytest(session, *ON_EVERY_CORE, "-m", "not slow and not soak", "--triomq-seeds=1", *others)


@nox.session
def tests(session: nox.Session) -> None:
    """All tests but the soak."""
    install(session, "test")
    run_pytest(session, *(() if session.posargs else (*ON_EVERY_CORE, "-m", "not soak")))


for version in OTHER_PYTHONS:
    nox.session(tests.func, name=f"tests-{version}", python=version, default=False)


@nox.session(default=False)
def coverage(session: nox.Session) -> None:
    """Which branches no test takes."""
    install(session, "test")
    data = Path(session.create_tmp()) / "coverage"
    env = {**environment(session), "COVERAGE_FILE": str(data)}
    session.run("coverage", "run", "-m", "pytest", "-q", *session.posargs, env=env)
    session.run("coverage", "report", env=env)


@nox.session(default=False)
def soak(session: nox.Session) -> None:
    """The tests that take minutes, and hypothesis with fresh examples."""
    install(session, "test")
    session.env["HYPOTHESIS_PROFILE"] = "explore"
    run_pytest(session, "-m", "soak or not soak", "-o", "faulthandler_timeout=1800")


@nox.session(default=False)
def simulate(session: nox.Session) -> None:
    """The scenarios in virtual time with many seeds, on every core: ``nox -s simulate -- --seeds 2000``.

    ``--first 2000`` begins with another seed; ``--plant duplicate`` puts a bug in on purpose, and some must fail.
    Anything else is pytest's, such as ``-k inproc`` or ``-n 1``.
    """
    install(session, "test")
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    asked, rest = parser.parse_known_args(session.posargs)
    scenarios = [str(path) for path in sorted(Path("tests/scenarios").glob("test_p[0-9]*.py"))]
    session.env.update(environment(session))
    end = asked.first + asked.seeds
    failed = []
    for first in range(asked.first, end, SEEDS_AT_ONCE):
        last = min(first + SEEDS_AT_ONCE, end) - 1
        seeds = [f"--triomq-seeds={last - first + 1}", f"--triomq-first-seed={first}"]
        try:
            session.run("pytest", "-q", "-n", "auto", *scenarios, *seeds, *rest)
        except CommandFailed:  # the other seeds may tell more
            failed.append(f"{first} to {last}")
    if failed:
        session.error(f"scenarios failed with seeds {', '.join(failed)}: see above for which")


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """The figures in the documentation, measured here: ``nox -s bench -- --help``."""
    install(session, "bench")
    session.run("python", "-P", "bench", *session.posargs)


@nox.session(default=False)
def docs(session: nox.Session) -> None:
    """The documentation, where a dangling reference is an error."""
    install(session, "docs")
    session.run("sphinx-build", "-nW", "--keep-going", "-q", "-b", "html", "docs", "docs/_build/html")


@nox.session(default=False)
def news(session: nox.Session) -> None:
    """What the news fragments will look like in the history."""
    install(session, "docs", package=False)
    session.run("towncrier", "build", "--draft", "--version", "next")


@nox.session(default=False)
def build(session: nox.Session) -> None:
    """The two files of a release, and that the wheel works by itself."""
    session.install("-q", "build", "twine")
    shutil.rmtree("dist", ignore_errors=True)
    session.run("python", "-m", "build")
    files = [str(path) for path in sorted(Path("dist").iterdir())]
    session.run("twine", "check", "--strict", *files)
    session.install("-q", "--force-reinstall", *(path for path in files if path.endswith(".whl")))
    session.run("python", "-P", "-c", "import triomq; print(triomq.__version__, triomq.__file__)")
