"""How Sphinx builds these pages: `make docs`."""

import importlib.metadata

project = "minde"
release = importlib.metadata.version("minde")
copyright = "the minde developers"
default_role = "code"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax"]
myst_enable_extensions = ["deflist", "dollarmath"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "results"]
html_theme = "alabaster"
html_theme_options = {"description": "Mutual information from samples by score-based diffusion", "page_width": "1000px"}
html_sidebars = {"**": ["about.html", "navigation.html", "searchbox.html"]}
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # docstrings give types and shapes
napoleon_use_param = False  # their types are words, not names to link
# Types that docstrings name and that have no page here.
nitpick_ignore_regex = [("py:.*", r"(torch|numpy|sklearn|bmi|typing|Self|BaseEstimator|NotFittedError)\b.*")]
