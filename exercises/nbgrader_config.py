"""nbgrader's configuration of this course; 'nbgrader --help-all' lists what may stand here."""

from autograder.grading.feedback import HideTests
from autograder.grading.pages import FILTERS, TEMPLATE
from autograder.authoring.start_log import StartLog

c = get_config()

c.CourseDirectory.course_id = "convnets"

# A cell of a submission may run this long, in seconds.
c.Execute.timeout = 10

# nbgrader autograde and the formgrader run submissions as 'autograder grade' does: isolated, with
# the hidden tests out of reach.
c.Autograde.autograde_preprocessors = [
    "autograder.grading.nbgrader_execute.Execute",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# Feedback made from the formgrader hides the hidden tests, as 'autograder feedback' does.
c.GenerateFeedback.preprocessors = [
    HideTests,
    "nbgrader.preprocessors.GetGrades",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]

# Pages show of a student's notebook what autograder/grading/drawing.py allows, and run no script
# but nbgrader's own: in the formgrader a student's would act as the instructor who looks at it.
c.HTMLExporter.sanitize_html = True
c.HTMLExporter.template_file = str(TEMPLATE)
c.HTMLExporter.filters = FILTERS

# An assignment with graded questions is released with the first line of its attempt log.
c.GenerateAssignment.preprocessors.append(StartLog)

# What students put into nbgrader's exchange is taken without links, and from its owner only.
c.ExchangeFactory.collect = "autograder.grading.exchange.Collect"
