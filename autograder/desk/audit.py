"""The audit trail of decisions, as a table for other programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable

from autograder.attempts.csv_cells import safe_cell
from autograder.attempts.decision_table import Decision


def as_csv(decisions: Iterable[Decision]) -> str:
    """The audit trail as CSV, safe to open in a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text)
    names = ("id", "time", "who", "why", "kind", "assignment", "students", "subject")
    writer.writerow([*names, "before", "after", "taken_back"])
    for decision in decisions:
        row = [getattr(decision, name) for name in names]
        row[6] = " ".join(decision.students)
        after = {name: value for name, value in decision.after.items() if name != "question"}
        changed = [decision.before, after, decision.taken_back]
        row += [json.dumps(dict(value), sort_keys=True) if value else "" for value in changed]
        writer.writerow([safe_cell(value) for value in row])
    return text.getvalue()
