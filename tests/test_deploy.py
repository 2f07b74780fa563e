"""The files for container engines and Kubernetes, as far as a machine without them can tell."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import kubernetes_validate
import pytest
import typer
import yaml

from autograder.cli.cluster import cluster
from tests.conftest import ROOT
from tests.graded_class import a_class, certificates, gradebook, locally
from tests.slurm import free_ports
from tests.test_cluster import Processes, ended, grading

MANIFEST = ROOT / "deploy" / "kubernetes" / "grading.yaml"
CONTAINERFILE = ROOT / "deploy" / "Containerfile"
OLDEST = "1.33"  # pods with user namespaces and a /proc of their own
HIDDEN = [("exercises", part) for part in ("source", "keys", "specimens", "submitted")]


def manifest() -> dict[tuple[str, str], dict]:
    """The manifest's objects, by kind and name."""
    documents = yaml.safe_load_all(MANIFEST.read_text())
    return {(made["kind"], made["metadata"]["name"]): made for made in documents}


def pod(name: str) -> dict:
    """The pods of a deployment."""
    return manifest()["Deployment", name]["spec"]["template"]


def container(name: str) -> dict:
    """The only container of a deployment's pods."""
    (only,) = pod(name)["spec"]["containers"]
    return only


@pytest.mark.parametrize("version", [OLDEST, kubernetes_validate.latest_version()])
def test_kubernetes_takes_the_manifest(version):
    for document in manifest().values():
        kubernetes_validate.validate(document, version, strict=True)


def test_a_misspelt_line_of_the_manifest_is_seen():
    wrong = manifest()["Deployment", "worker"]
    wrong["spec"]["template"]["spec"]["hostUser"] = wrong["spec"]["template"]["spec"].pop(
        "hostUsers"
    )
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, OLDEST, strict=True)


def test_the_manifest_s_names_agree():
    objects = manifest()
    service = objects["Service", "scheduler"]["spec"]
    assert service["selector"] == pod("scheduler")["metadata"]["labels"]
    assert service["ports"][0]["port"] == container("scheduler")["ports"][0]["containerPort"]
    assert f"--port={service['ports'][0]['port']}" in container("scheduler")["args"]
    assert container("worker")["args"][0] == f"tls://scheduler:{service['ports'][0]['port']}"
    namespaces = {made["metadata"].get("namespace") for made in objects.values()}
    assert namespaces == {None, objects["Namespace", "grading"]["metadata"]["name"]}
    for name in ("scheduler", "worker"):
        deployment = objects["Deployment", name]["spec"]
        assert deployment["selector"]["matchLabels"] == pod(name)["metadata"]["labels"]
        volumes = {volume["name"] for volume in pod(name)["spec"]["volumes"]}
        assert volumes == {mount["name"] for mount in container(name)["volumeMounts"]}


def test_a_worker_holds_no_right_on_its_node():
    spec = pod("worker")["spec"]
    assert spec["hostUsers"] is False
    assert spec["securityContext"]["runAsUser"] > 0
    assert "privileged" not in container("worker")["securityContext"]
    assert not {"hostPID", "hostNetwork", "hostIPC"} & set(spec)
    assert not any("hostPath" in volume for volume in spec["volumes"])
    assert spec["automountServiceAccountToken"] is False


def test_the_commands_take_the_manifest_s_arguments():
    worker = typer.main.get_command(cluster).commands["worker"]
    chosen = worker.make_context("worker", list(container("worker")["args"])).params
    assert chosen["slots"] == int(container("worker")["resources"]["requests"]["cpu"])
    assert container("scheduler")["command"] == ["dask", "scheduler"]
    files = {"ca": "/tls/ca.pem", "cert": "/tls/cert.pem", "key": "/tls/key.pem"}
    assert {part: str(chosen[f"tls_{part}"]) for part in files} == files


def test_images_take_what_git_has_and_no_hidden_test():
    git = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    tracked = [Path(line) for line in git.stdout.splitlines()]
    copied = re.findall(r"^COPY (?!--from)(?:--\S+ )*(.+) \S+$", CONTAINERFILE.read_text(), re.M)
    paths = [Path(name) for line in copied for name in line.split()]
    assert len(paths) > 5
    for path in paths:
        inside = [file for file in tracked if path in (file, *file.parents)]
        assert inside, f"git has no {path}"
        hidden = [file for file in inside if file.parts[:2] in HIDDEN]
        assert not hidden


def test_images_ask_for_extras_that_exist():
    asked = re.findall(r"'\.\[(.+?)\]'", CONTAINERFILE.read_text())
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    assert {name for group in asked for name in group.split(",")} <= set(extras)
    assert len(asked) == 2


def test_the_linter_of_container_files_finds_nothing():
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, CONTAINERFILE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("isolation")
def test_a_class_is_graded_with_the_manifest_s_arguments(warmup, tmp_path, hand_in):
    certificates(tmp_path)
    (port,) = free_ports(1)
    places = {"/tls/": f"{tmp_path}/", "8786": str(port), "//scheduler": "//127.0.0.1"}

    def here(name: str) -> list[str]:
        text = "\n".join(container(name)["args"])
        for there, place in places.items():
            text = text.replace(there, place)
        return text.splitlines()

    processes = Processes(tmp_path)
    try:
        environment = {entry["name"]: entry["value"] for entry in container("scheduler")["env"]}
        processes.start("dask", "scheduler", *here("scheduler"), "--host=127.0.0.1", **environment)
        address, *options = here("worker")
        tls = [option for option in options if option.startswith("--tls")]
        processes.start("autograder", "cluster", "worker", address, "--slots=1", *tls)
        a_class(warmup, hand_in, 4)
        ended(grading(warmup, address, *tls), 0)
    finally:
        processes.end()
    assert gradebook(warmup) == locally(warmup)
