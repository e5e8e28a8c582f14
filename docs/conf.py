"""Sphinx: ``make docs`` builds docs/_build/html."""

from importlib.metadata import version as installed

project = "xinr"
author = "The xinr developers"
version = release = installed("xinr")
extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc"]
myst_heading_anchors = 3  # links to headings, as GitHub makes them
numpydoc_show_class_members = False
html_theme = "alabaster"
exclude_patterns = ["_build"]
