"""What the graders' server, which instructors share, does at its start."""

import os

c = get_config()
c.LabApp.extension_manager = "readonly"  # packages are installed by whoever runs the hub
c.ServerApp.terminado_settings = {"shell_command": ["/bin/bash"]}  # a login shell would lose our PATH
c.ServerApp.jpserver_extensions = {
    "nbgrader.server_extensions.assignment_list": False,
    "nbgrader.server_extensions.course_list": False,
}
os.umask(0o077)
