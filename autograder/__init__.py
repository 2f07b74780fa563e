"""Releases, verifies and grades the assignments of an nbgrader course."""

import sys

# nbformat imports jsonschema, and jsonschema compiles a grammar for IRIs when this module is there:
# a second of every start. No notebook has an IRI that is checked.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
