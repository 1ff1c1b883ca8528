"""How the documentation is built: ``nox -s docs``."""

from __future__ import annotations

import sys
from pathlib import Path

import triomq

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "triomq"
author = "the triomq contributors"
project_copyright = author
version = release = triomq.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinxcontrib_trio",
    "sphinx_copybutton",
    "sphinxcontrib.towncrier.ext",
    "myst_parser",  # the pages with pictures and tables of figures are Markdown
    "contracts",
    "option_tables",
    "room_table",
    "topologies",
]
default_role = "py:obj"
nitpicky = True
nitpick_ignore = [("py:class", "Args")]  # the type of the arguments that a task is started with
exclude_patterns = ["_build"]
highlight_language = "python"

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"
smartquotes = False

towncrier_draft_autoversion_mode = "draft"
towncrier_draft_working_directory = Path(__file__).parents[1]

html_theme = "furo"
html_title = f"triomq {release}"
html_copy_source = False
html_logo = html_favicon = "_static/logo.svg"
html_static_path = ["_static"]
html_theme_options = {
    "source_repository": "https://github.com/triomq/triomq",
    "source_branch": "main",
    "source_directory": "docs/",
}
html_css_files = ["triomq.css"]
copybutton_prompt_text = "$ "
