"""The example for Kubernetes says what the command takes and what the image has."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from click import Context

from photochrom.cli.batch import command

ROOT = Path(__file__).parents[1]


def test_the_example_job_is_whole_and_its_command_parses() -> None:
    yaml = pytest.importorskip("yaml")
    job = yaml.safe_load((ROOT / "examples/kubernetes/batch.yaml").read_text(encoding="utf-8"))
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    cluster = job["spec"]["rayClusterSpec"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    containers = [group["template"]["spec"]["containers"][0] for group in groups]
    assert {container["image"] for container in containers} == {"photochrom-worker:latest"}
    assert all(container["envFrom"] for container in containers)
    program, verb, *words = shlex.split(job["spec"]["entrypoint"])
    assert (program, verb) == ("photochrom", "batch")
    parsed = command.make_parser(Context(command)).parse_args(words)[0]
    assert parsed["engine"] == "ray"
    assert len(parsed["paths"]) == 2


def test_the_image_can_be_built_with_the_extras_that_the_page_names() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    page = (ROOT / "docs/scale.md").read_text(encoding="utf-8")
    assert "ARG EXTRAS=serve,heic" in dockerfile
    assert "--build-arg EXTRAS=cloud,ray,heic" in page
