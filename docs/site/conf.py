"""How Sphinx makes the site from what tools/site.py has collected."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

PROJECT = tomllib.loads(
    (Path(__file__).resolve().parents[2] / "pyproject.toml").read_text(encoding="utf-8")
)["project"]

project = "Convolutional networks and transfer learning"
author = "the convnet-course authors"
project_copyright = f"2026, {author}"
release = PROJECT["version"]
language = "en"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["**/quiz"]

# Notebooks come with their outputs.
nb_execution_mode = "off"
nb_ipywidgets_js: dict[str, Any] = {}
nb_merge_streams = True
nb_number_source_lines = False
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 4
myst_fence_as_directive = {"mermaid"}
# A name in single backticks is code, as in Markdown.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_inherit_docstrings = False
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
copybutton_selector = "div.cell_input pre, div.highlight-sh pre, div.highlight-powershell pre"
linkcheck_timeout = 20
linkcheck_ignore = [r"http://127\.0\.0\.1.*"]

html_theme = "pydata_sphinx_theme"
html_title = project
html_short_title = "ConvNet course"
html_baseurl = PROJECT["urls"]["Documentation"]
html_static_path = ["static", "../../build/site/static"]
html_extra_path: list[str] = []
templates_path = ["templates"]
html_css_files = ["site.css"]
html_js_files = [("interactive.js", {"type": "module"}), ("diagrams.js", {"type": "module"})]
html_favicon = "static/favicon.svg"
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_sidebars = {"index": []}
html_context = {"default_mode": "auto"}
html_theme_options = {
    "logo": {"text": html_short_title, "image_light": "favicon.svg", "image_dark": "favicon.svg"},
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "primary_sidebar_end": [],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_toc_level": 2,
    "back_to_top_button": True,
    "search_bar_text": "Search",
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}


def _visit_math(translator: Any, node: nodes.math) -> None:
    translator.body.append(convert(node.astext(), display="inline"))
    raise nodes.SkipNode


def _visit_math_block(translator: Any, node: nodes.math_block) -> None:
    # A long formula can be scrolled with the keyboard, too.
    translator.body.append('<div class="math" tabindex="0" role="group" aria-label="formula">')
    translator.body.append(convert(node.astext(), display="block") + "</div>")
    raise nodes.SkipNode


class Mermaid(SphinxDirective):
    """A diagram as text, which diagrams.js draws."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Make the element that the script looks for."""
        block = nodes.literal_block("\n".join(self.content), "\n".join(self.content))
        block["language"] = "text"
        return [nodes.container("", block, classes=["mermaid-diagram"])]


def setup(app: Sphinx) -> None:
    """Register what the site does itself: formulas as MathML, and diagrams."""
    app.add_html_math_renderer("mathml", (_visit_math, None), (_visit_math_block, None))
    app.add_directive("mermaid", Mermaid)


html_math_renderer = "mathml"
