"""Sphinx configuration. `make docs` builds the site into docs/_build/html, with warnings as errors and no network."""

import os
import sys
from pathlib import Path

import dilemmas

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_extensions"))

project = "dilemmas"
author = "The dilemmas developers"
project_copyright = author
version = release = dilemmas.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "sphinx_copybutton",
    "docstrings",
    "generated_pages",
]
exclude_patterns = ["_build", "formats/generated"]
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!dilemmas\.).*"), ("py:.*", r".*\.(_\w+|Annotated\b.*)")]
"""Names of other projects cannot be resolved without their inventories, and private ones have no page; the others of
this project must be."""
suppress_warnings = ["ref.python"]
"""A short name, such as that of a type and of a field, may have several targets."""

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
myst_links_external_new_tab = True

default_role = "name"  # see _extensions/docstrings.py
autodoc_default_options = {"members": True, "undoc-members": True, "show-inheritance": True}
add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_mock_imports = ["stable_baselines3"]
autosummary_generate = False
napoleon_google_docstring = False
napoleon_use_rtype = False

intersphinx_mapping = {
    "python": ("https://docs.python.org/3", None),
    "numpy": ("https://numpy.org/doc/stable", None),
    "gymnasium": ("https://gymnasium.farama.org", None),
    "pettingzoo": ("https://pettingzoo.farama.org", None),
    "peft": ("https://huggingface.co/docs/peft/main/en", None),
    "transformers": ("https://huggingface.co/docs/transformers/main/en", None),
}
if not os.environ.get("DILEMMAS_INTERSPHINX"):
    intersphinx_mapping = {}  # links to other projects' pages need their inventories, which are on the network

html_theme = "furo"
smartquotes = False  # quotation marks stay as a shell needs them
html_title = "dilemmas"
html_static_path = ["_static"]
