"""What the graders' server, which instructors share, does at its start."""

c = get_config()
c.LabApp.extension_manager = "readonly"  # packages are installed by whoever runs the hub
# A login shell would lose the path of our commands.
c.ServerApp.terminado_settings = {"shell_command": ["/bin/bash"]}
c.ServerApp.jpserver_extensions = {
    "nbgrader.server_extensions.assignment_list": False,
    "nbgrader.server_extensions.course_list": False,
}
# The formgrader is a frame in JupyterLab, and a hub's server would show its pages in no frame.
c.ServerApp.tornado_settings = {
    "headers": {"Content-Security-Policy": "frame-ancestors 'self'"},
}
