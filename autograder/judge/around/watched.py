"""Makes the loaded modules note what tests set; the judges' warm process imports it last.

A judge would do it anyway, but after the fork each module costs a copy of the page that it is on.
"""

from __future__ import annotations

from autograder.judge.around.patches import watch_modules

watch_modules()
