"""JupyterHub for one class: its settings, then what follows from them. docs/hub.md explains it."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
c = get_config()

# ── the course's settings ──
COURSE_ID = "convnets"  # as in the course's nbgrader_config.py
GRADER = "grader"  # the Unix account that grades; instructors share it, nobody logs in to it
COURSE = Path("/home/grader/exercises")  # belongs to GRADER; nobody else may open it
LECTURES = Path("/srv/convnets/lectures")  # students get their own copy
EXCHANGE = Path("/srv/convnets/exchange")  # nbgrader's exchange
STATE = Path("/srv/convnets/hub")  # the hub's database and secrets; belongs to root
INSTRUCTORS = (HERE / "instructors.txt").read_text().split()
STUDENTS = (HERE / "students.txt").read_text().split()
AUTHENTICATOR = "pam"  # the passwords of the Unix accounts
SPAWNER = "jupyterhub.spawner.LocalProcessSpawner"  # a process of the person's Unix account
HOST, PORT = "127.0.0.1", 8000  # where a web server with TLS finds the hub
PUBLIC_URL = ""  # as in "https://hub.example.org": then each person has a host name of their own
MEMORY = "2G"  # of a person's server; kept by spawners that can

# ── what must hold before anybody logs in ──
for folder in (COURSE, STATE):
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_mode & 0o077:
        raise SystemExit(f"other users could open {folder}: run 'chmod 700 {folder}'")
if both := sorted(set(INSTRUCTORS) & set(STUDENTS)):
    raise SystemExit(f"{', '.join(both)}: an instructor and a student; remove one of the two lines")

# ── the hub and its proxy: everything on this computer only ──
BIN = Path(sys.executable).parent
c.JupyterHub.bind_url = f"http://{HOST}:{PORT}"
c.JupyterHub.subdomain_host = PUBLIC_URL
c.JupyterHub.hub_ip, c.JupyterHub.hub_port = "127.0.0.1", PORT + 1
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{PORT + 2}"
c.ConfigurableHTTPProxy.pid_file = str(STATE / "proxy.pid")
c.JupyterHub.db_url = f"sqlite:///{STATE / 'hub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(STATE / "cookie_secret")

# ── who may log in: the two lists, and nobody whom an earlier list named ──
c.JupyterHub.authenticator_class = AUTHENTICATOR
c.Authenticator.allowed_users = {*INSTRUCTORS, *STUDENTS}
c.Authenticator.allow_existing_users = False

# ── who may do what: nbgrader and the attempt service know these groups by their names ──
TEACHING, LEARNING = f"formgrade-{COURSE_ID}", f"nbgrader-{COURSE_ID}"
c.JupyterHub.load_groups = {
    TEACHING: {"users": INSTRUCTORS},
    LEARNING: {"users": STUDENTS},
}
c.JupyterHub.load_roles = [
    {
        "name": "instructor",
        "groups": [TEACHING],
        "scopes": ["access:services!service=attempts", f"access:services!service={COURSE_ID}"],
    },
    {
        "name": "student",
        "groups": [LEARNING],
        "scopes": ["access:services!service=attempts"],
    },
]

# ── a person's own server ──
ATTEMPTS_PORT, GRADER_PORT = PORT + 3, PORT + 4
COMMON = {
    "PATH": f"{BIN}:/usr/local/bin:/usr/bin:/bin",
    "COURSE_ID": COURSE_ID,
    "COURSE_EXCHANGE": str(EXCHANGE),
    "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),  # a class shares the processors
}
c.JupyterHub.spawner_class = SPAWNER
c.Spawner.cmd = [str(BIN / "jupyterhub-singleuser")]
c.Spawner.default_url = "/lab"
c.Spawner.ip = "127.0.0.1"
c.Spawner.mem_limit = MEMORY
c.Spawner.environment = {
    **COMMON,
    "JUPYTER_CONFIG_PATH": str(HERE / "student"),
    "COURSE_LECTURES": str(LECTURES),
    "ATTEMPT_SERVICE_URL": f"http://127.0.0.1:{ATTEMPTS_PORT}",
}
# With its token, a server learns its owner's courses (nbgrader) and sends the owner's answers.
c.Spawner.server_token_scopes = [
    "users:activity!user",
    "access:servers!server",
    "access:services!service=attempts",
    "read:users:name!user",
    "read:users:groups!user",
]

# ── the services: both run as GRADER, so that students can't reach what they keep ──
c.JupyterHub.services = [
    {
        "name": "attempts",
        "url": f"http://127.0.0.1:{ATTEMPTS_PORT}",
        "command": [
            *(str(BIN / "autograder"), "serve", "--course", str(COURSE)),
            *("--port", str(ATTEMPTS_PORT)),
        ],
        "user": GRADER,
        "cwd": str(COURSE),
        "environment": COMMON,
        "display": False,
    },
    {
        "name": COURSE_ID,
        "url": f"http://127.0.0.1:{GRADER_PORT}",
        "command": [str(BIN / "jupyterhub-singleuser")],
        "user": GRADER,
        "cwd": str(COURSE),
        "environment": {
            **COMMON,
            "JUPYTER_CONFIG_PATH": str(HERE / "grader"),
            "JUPYTERHUB_DEFAULT_URL": "/lab",
        },
        "oauth_no_confirm": True,
    },
]
