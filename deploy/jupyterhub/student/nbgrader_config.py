"""nbgrader for students: they see the courses of the hub's groups nbgrader-COURSE."""

import os

from nbgrader.auth import JupyterHubAuthPlugin

c = get_config()
c.Exchange.root = os.environ["COURSE_EXCHANGE"]
c.Authenticator.plugin_class = JupyterHubAuthPlugin
