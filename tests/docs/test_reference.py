"""The reference is complete: every public name, every option, every option of libzmq."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import get_args

import attrs
import pytest

import triomq
import triomq.pgm
import triomq.testing
from triomq.testing import Kind

DOCS = Path(__file__).parents[2] / "docs"


def load_rows():
    spec = importlib.util.spec_from_file_location("option_rows", DOCS / "_ext" / "option_rows.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ROWS = load_rows()
REFERENCE = "\n".join(path.read_text(encoding="utf-8") for path in sorted((DOCS / "reference").glob("*.rst")))
TESTING_PAGE = (DOCS / "reference" / "testing.rst").read_text(encoding="utf-8")  # its names are in triomq.testing
TESTING = set(re.findall(r"^\.\. (?:auto|py:)\w+:: ([\w]+)", TESTING_PAGE, re.MULTILINE))
DESCRIBED = set(re.findall(r"^ *\.\. (?:auto)?[\w:]+:: (?:async )?([\w.]+)", REFERENCE, re.MULTILINE))


@pytest.mark.parametrize("name", sorted(triomq.__all__))
def test_reference_describes_public_name(name):
    assert name in DESCRIBED or f"triomq.{name}" in DESCRIBED


@pytest.mark.parametrize(
    "module", [triomq.abc, triomq.auth, triomq.zmtp, triomq.pgm, triomq.testing], ids=lambda module: module.__name__
)
def test_reference_describes_extension_points(module):
    public = getattr(module, "__all__", None) or [
        name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__
    ]
    missing = [name for name in public if f"{module.__name__}.{name}" not in DESCRIBED and name not in TESTING]
    assert not missing


def test_reference_has_every_kind_of_happening():
    (table,) = re.findall(r"\.\. py:type:: Kind\n(.*?)\n\S", TESTING_PAGE + "\n.", re.DOTALL)
    assert re.findall(r"\* - ``([a-z ]+)``", table) == list(get_args(Kind))


def test_reference_has_the_public_methods_and_defaults_of_a_network():
    section = TESTING_PAGE[
        TESTING_PAGE.index("autoclass:: VirtualNetwork") : TESTING_PAGE.index("autoclass:: Partition")
    ]
    own, *bases = triomq.testing.VirtualNetwork.__mro__[:-1]
    public = [name for place in (*bases, own) for name in vars(place) if not name.startswith("_")]
    assert re.findall(r"automethod:: (\w+)", section) == public
    defaults = ", ".join(f"{field.name}={field.default}" for field in attrs.fields(triomq.testing.LinkSettings))
    assert f".. autoclass:: LinkSettings(*, {defaults})\n" in TESTING_PAGE


def test_reference_has_every_fixture_marker_and_option():
    plugin = Path(triomq.testing.__file__).with_name("pytest_plugin.py").read_text(encoding="utf-8")
    names = re.findall(r"@pytest\.fixture\n(?:async )?def (\w+)", plugin)
    assert len(names) >= 4
    for name in [*names, *re.findall(r'"(--triomq-[a-z-]+)"', plugin)]:
        assert re.search(rf"^``{name}\b.*``$", TESTING_PAGE, re.MULTILINE), name
    for name in re.findall(r'"markers", "(\w+)', plugin):
        assert f"``@pytest.mark.{name}(" in TESTING_PAGE


def test_the_options_page_has_each_option_once():
    groups = re.findall(r"^\.\. options::\n((?:   .*\n)+)", REFERENCE, re.MULTILINE)
    assert sorted(" ".join(groups).split()) == sorted(attrs.fields_dict(triomq.Options))


def test_each_option_says_when_to_change_it():
    assert sorted(ROWS.WHEN) == sorted(attrs.fields_dict(triomq.Options))


def test_every_option_of_libzmq_is_accounted_for():
    zmq = pytest.importorskip("zmq")
    known = {f"ZMQ_{name}" for kind in (zmq.SocketOption, zmq.ContextOption) for name in kind.__members__}
    assert ".. libzmq-option-table::" in REFERENCE
    assert sorted(known - set(ROWS.libzmq_options())) == []


def test_no_option_is_mapped_and_absent():
    mapped = {field.metadata["zmq"] for field in attrs.fields(triomq.Options)}
    told = [*mapped, *ROWS.ELSEWHERE, *ROWS.ABSENT, *ROWS.ALIASES]
    assert sorted({name for name in told if told.count(name) > 1}) == []


def test_every_page_is_in_a_table_of_contents():
    listed = set()
    for page in DOCS.rglob("*.rst"):
        for block in re.findall(
            r"^\.\. toctree::\n((?:(?:   .*)?\n)+)", page.read_text(encoding="utf-8"), re.MULTILINE
        ):
            names = [line.strip() for line in block.splitlines() if line.strip() and not line.strip().startswith(":")]
            listed.update((page.parent / name).resolve() for name in names)
    files = [path for path in DOCS.rglob("*") if path.suffix in (".rst", ".md") and "_build" not in path.parts]
    pages = {path.resolve().with_suffix("") for path in files} - {DOCS.resolve() / "index"}
    assert pages == listed
