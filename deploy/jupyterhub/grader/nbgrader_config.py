"""nbgrader for those who grade; the course's own nbgrader_config.py has the rest."""

import os

c = get_config()
c.CourseDirectory.course_id = os.environ["COURSE_ID"]
c.Exchange.root = os.environ["COURSE_EXCHANGE"]
