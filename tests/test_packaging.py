"""What others install it by is held to pyproject.toml, and versions to the changelog."""

import re
import runpy
import subprocess
import sys
import tomllib
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
RECIPE = ROOT / "packaging" / "conda" / "recipe.yaml"
CONTAINER = ROOT / "packaging" / "Containerfile"
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
# What conda-forge calls otherwise than Python's registry.
CONDA_NAMES = {
    "astropy": "astropy-base",  # without what is optional there
    "duckdb": "python-duckdb",
    "huggingface-hub": "huggingface_hub",
    "matplotlib": "matplotlib-base",  # without Qt
    "torch": "pytorch",
}


def _asked(lines: list[str]) -> dict[str, SpecifierSet]:
    """Packages and versions of pyproject.toml, as conda-forge calls them."""
    asked = map(Requirement, lines)
    return {CONDA_NAMES.get(one.name, one.name): one.specifier for one in asked}


def _of_recipe(lines: list[str]) -> dict[str, SpecifierSet]:
    split = (line.partition(" ") for line in lines)
    return {name: SpecifierSet(versions) for name, _, versions in split if name != "python"}


@pytest.fixture(scope="module")
def recipe() -> Any:
    return yaml.safe_load(RECIPE.read_text())


def test_the_recipe_asks_for_what_pyproject_does(recipe: Any) -> None:
    needs = recipe["requirements"]
    assert _of_recipe(needs["run"]) == _asked(PROJECT["dependencies"])
    extras = PROJECT["optional-dependencies"]
    optional = [line for extra, lines in extras.items() if extra != "all" for line in lines]
    assert _of_recipe(needs["run_constraints"]) == _asked(optional)
    built = _asked(PYPROJECT["build-system"]["requires"])
    assert _of_recipe(needs["host"])["setuptools"] == built["setuptools"]


def test_the_recipe_is_of_this_version(recipe: Any) -> None:
    context = recipe["context"]
    assert (context["name"], context["version"]) == (PROJECT["name"], PROJECT["version"])
    assert f">={context['python_min']}" == PROJECT["requires-python"]
    (entry,) = PROJECT["scripts"].items()
    assert recipe["build"]["python"]["entry_points"] == [" = ".join(entry)]
    assert recipe["about"]["license"] == PROJECT["license"]


def test_the_citation_is_of_this_version_and_of_what_the_documentation_says_to_cite() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert (cited["title"].lower(), cited["version"]) == (PROJECT["name"], PROJECT["version"])
    assert (cited["license"], cited["abstract"]) == (PROJECT["license"], PROJECT["description"])
    works = {one.get("url") or f"https://doi.org/{one['doi']}" for one in cited["references"][1:]}
    assert works == {*re.findall(r"\]\((https://[^)]+)\)", (ROOT / "docs/cite.md").read_text())}


def test_conda_forges_builder_takes_the_recipe() -> None:
    rattler = pytest.importorskip("rattler_build")
    (made,) = rattler.Stage0Recipe.from_file(RECIPE).render(rattler.VariantConfig())
    assert f"version='{PROJECT['version']}'" in str(made)


def test_hadolint_finds_nothing_in_the_container_file() -> None:
    program = Path(sys.executable).with_name("hadolint")
    if not program.is_file():
        pytest.skip("there is no hadolint")
    done = subprocess.run([program, CONTAINER], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_container_gets_every_file_of_the_package() -> None:
    copied = set()
    for line in re.findall(r"^COPY (.*) /src/\S*$", CONTAINER.read_text(), re.M):
        copied |= set(line.split())
    needed = {"pyproject.toml", "LICENSE", "MANIFEST.in", "constraints.txt", "zoolens"}
    needed.add(PROJECT["readme"])
    linked = {path.readlink().name for path in (ROOT / "zoolens").iterdir() if path.is_symlink()}
    assert copied == needed | linked


def test_links_of_a_registrys_page_lead_somewhere_from_there() -> None:
    page = (ROOT / PROJECT["readme"]).read_text()
    targets = re.findall(r"\]\(([^)]*)\)|^\[.*\]: (\S+)|(?:src|href)=[\"']([^\"']*)", page, re.M)
    assert targets
    for target in map("".join, targets):
        assert target.startswith("https://"), target


def _sections() -> list[tuple[str, str]]:
    """The versions of the changelog and, of those that are out, their dates."""
    heads = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    return [(name, day) for name, _, day in (head.partition(" - ") for head in heads)]


def changelog_faults(sections: list[tuple[str, str]], now: str) -> list[str]:
    """What is wrong with the sections of a changelog, the newest first, in a version."""
    out = [one for one in sections if one[0] != "Unreleased"]
    faults = [f"{name} has no day: {day!r}" for name, day in out if not _is_day(day)]
    if [one[0] for one in sections[1:]].count("Unreleased"):
        faults.append("Unreleased is not on top")
    if sections[0][0] not in ("Unreleased", now):
        faults.append(f"the top is neither Unreleased nor {now}")
    if sections[0][0] == "Unreleased" and out and Version(now) < Version(out[0][0]):
        faults.append(f"{now} is older than what is out")
    for (newer, day), (older, before) in pairwise(out):
        if Version(newer) <= Version(older) or day < before:
            faults.append(f"{newer} stands above {older}")
    return faults


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def test_the_changelog_is_in_order() -> None:
    assert changelog_faults(_sections(), PROJECT["version"]) == []


@pytest.mark.parametrize(
    ("sections", "fault"),
    [
        ([("Unreleased", ""), ("0.2.0", "2027-02-01"), ("0.1.0", "2027-01-01")], None),
        ([("0.2.0", "2027-02-01"), ("0.1.0", "2027-01-01")], None),
        ([("0.2.0", "")], "has no day"),
        ([("0.2.0", "1.2.2027")], "has no day"),
        ([("0.1.0", "2027-01-01")], "neither"),
        ([("Unreleased", ""), ("0.3.0", "2027-01-01")], "older than what is out"),
        ([("0.2.0", "2027-02-01"), ("Unreleased", "")], "not on top"),
        ([("0.2.0", "2027-02-01"), ("0.10.0", "2027-01-01")], "above"),
        ([("0.2.0", "2027-01-01"), ("0.1.0", "2027-02-01")], "above"),
    ],
)
def test_faults_of_a_changelog_are_found(
    sections: list[tuple[str, str]], fault: str | None
) -> None:
    found = changelog_faults(sections, "0.2.0")
    assert (fault is None) == (found == [])
    assert fault is None or fault in found[0]


def _git(*words: str) -> list[str]:
    command = ["git", "-C", str(ROOT), *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no git")
    if done.returncode:
        pytest.skip("this is no clone")
    return done.stdout.split()


def test_a_tagged_commit_is_that_version() -> None:
    here = [tag[1:] for tag in _git("tag", "--points-at", "HEAD", "--list", "v*")]
    assert here in ([], [PROJECT["version"]])
    assert not here or _sections()[0][0] == here[0]


def test_every_tag_has_a_section() -> None:
    assert {tag[1:] for tag in _git("tag", "--list", "v*")} <= {name for name, _ in _sections()}


def test_pythons_are_those_that_are_said() -> None:
    pythons = runpy.run_path(str(ROOT / "packaging" / "pythons.py"))
    said = pythons["supported"]()
    assert min(said, key=Version) == PROJECT["requires-python"].removeprefix(">=")
    assert "{}.{}".format(*sys.version_info[:2]) in said
    assert pythons["interpreter"]("3.99") is None


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.name)
def test_an_issue_form_is_one(form: Path) -> None:
    content = yaml.safe_load(form.read_text())
    if form.name == "config.yml":
        return
    assert {"name", "description", "body"} <= set(content)
    fields = content["body"]
    assert all(one["type"] in ("textarea", "input") for one in fields)
    assert all(one["attributes"]["label"].endswith("?") for one in fields)
    ids = [one["id"] for one in fields]
    assert len(set(ids)) == len(ids)
    assert form.name == "wish.yml" or "doctor" in ids
