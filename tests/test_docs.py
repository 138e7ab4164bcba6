"""The documentation is held to the code: dictionary, commands, names, links, worked example."""

import re
import shlex
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.made.releases import view_rows
from tests.made.terminal import zoolens

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")),
    *sorted(ROOT.glob("models/*.md")),
    *sorted(ROOT.glob("packaging/*.md")),
    *sorted(ROOT.glob("docs/**/*.md")),
    *sorted(ROOT.glob(".github/**/*.yml")),
]
each_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)


@cache
def _commands() -> dict[str, dict[str, str]]:
    """Help text of each command, by name: by the name of each command of its own, or by none."""
    from typer.main import get_command

    from zoolens import cli

    def told(*words: str) -> str:
        return CliRunner().invoke(cli.app, [*words, "--help"], env={"COLUMNS": "200"}).output

    return {
        name: {own: told(name, own) for own in getattr(command, "commands", ())} or {"": told(name)}
        for name, command in get_command(cli.app).commands.items()  # type: ignore[attr-defined]
    }


def test_the_table_of_commands_has_every_command_and_no_other() -> None:
    table = (ROOT / "docs" / "reference" / "commands.md").read_text()
    assert sorted(re.findall(r"^\| `zoolens (\w+)", table, re.M)) == sorted(_commands())


def _options(text: str) -> list[str]:
    return re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)


@each_document
def test_options_of_a_command_are_in_its_help(document: Path) -> None:
    text = document.read_text().replace("\\\n", " ")  # a command may go on in the next line
    for command, rest in re.findall(r"zoolens (\w+)((?: [^\n`|#]*)?)", text):
        if command in _commands():
            told = _commands()[command]
            first, *_ = told.values()  # what is done unless one is named
            said = told.get((rest.split() or [""])[0], first)
            for option in _options(rest):
                assert option in _options(said), f"{command} {option}"


@each_document
def test_options_named_alone_are_some_commands(document: Path) -> None:
    helps = [told for own in _commands().values() for told in own.values()]
    known = {option for told in helps for option in _options(told)}
    known |= {"--version", "--help"}
    for code in re.findall(r"`(--[^`]*)`", document.read_text()):
        assert set(_options(code)) <= known, code


def _anchors(document: Path) -> set[str]:
    """The fragments that a document's headings can be reached by, as GitHub makes them."""
    prose = re.sub(r"^```.*?^```", "", document.read_text(), flags=re.M | re.S)
    return {
        re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", prose, re.M)
    }


@each_document
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)]+)\)", document.read_text()):
        path, _, fragment = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        assert file.exists(), target
        assert not fragment or fragment in _anchors(file), target


@each_document
def test_modules_and_files_that_are_named_exist(document: Path) -> None:
    text = document.read_text()
    for file in re.findall(
        r"(?<![\w/.-])((?:catalog|jobs|tests|benchmarks|docs)/[\w/.-]+\.\w+)", text
    ):
        assert (ROOT / file).exists(), file
    for file in re.findall(r"`([\w/]+\.py)`", text):
        assert (ROOT / file).exists(), f"{file}: say where it is from the top of the repository"
    if document.name == "CHANGELOG.md":  # which also says what names were
        return
    for name in re.findall(r"`((?:zoolens|catalog|jobs)(?:\.\w+)+)", text):
        assert _is_ours(name), name


@each_document
def test_python_in_the_documentation_compiles(document: Path) -> None:
    for number, block in enumerate(
        re.findall(r"^```python\n(.*?)^```", document.read_text(), re.M | re.S)
    ):
        compile(block, f"{document.name}, block {number}", "exec")


def _is_ours(name: str) -> bool:
    """Whether a dotted name is a module, or something in one, below `zoolens`."""
    if not name.startswith("zoolens."):
        return False
    head, _, last = name.rpartition(".")
    if head == "zoolens" or _is_module(name):
        return True  # what `zoolens` itself offers is held by its own tests
    if not _is_module(head):
        return False
    spec = find_spec(head)
    assert spec is not None
    assert spec.origin is not None
    return (
        re.search(rf"^(def|class) {last}\b|^{last}\b", Path(spec.origin).read_text(), re.M)
        is not None
    )


def _is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def test_what_contributing_names_in_the_code_is_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    names = set(re.findall(r"`(_?[A-Z][A-Z_]+|_?[a-z]+(?:_[a-z]+)+)(?:\([^`]*\))?`", text))
    assert {"_PUBLISHED", "CAMPAIGNS", "_TABLES", "_FAMILIES", "STATEMENTS", "last_block"} <= names
    folders = ("catalog", "commands", "jobs", "migrations", "tests")
    code = "\n".join(path.read_text() for of in folders for path in (ROOT / of).rglob("*.py"))
    others = {"galaxy_datasets"}
    assert {name for name in names - others if not re.search(rf"\b{name}\b", code)} == set()


def test_the_toy_tree_of_contributing_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By typing what is there."""
    monkeypatch.chdir(tmp_path)
    guide = (ROOT / "docs" / "guide" / "your-data.md").read_text()
    (tree,) = re.findall(r"^```yaml\n(name: my-survey.*?)^```", guide, re.M | re.S)
    Path("my-survey.yaml").write_text(tree)
    text = (ROOT / "CONTRIBUTING.md").read_text().split("\n## A decision tree\n")[1]
    (block, *_) = re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)
    table, ingest, look = block.replace("\\\n", " ").splitlines()
    *rows, _, file = shlex.split(table)[2:]
    Path(file).write_text("\n".join(rows) + "\n")
    read = zoolens(*shlex.split(ingest)[1:])
    assert (read.exit_code, "2 galaxies" in read.stderr + read.stdout) == (0, True)
    shown = zoolens(*shlex.split(look)[1:])
    assert shown.exit_code == 0
    assert "bar_yes" in shown.stdout


def test_the_guide_lists_every_tree_that_has_a_name() -> None:
    from zoolens.catalog.trees.published import TREE_NAMES

    guide = (ROOT / "docs" / "guide" / "your-data.md").read_text()
    table = guide.split("\n## Every Galaxy Zoo\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \|", table, re.M)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == set(TREE_NAMES)


def test_the_map_has_every_package_and_no_other() -> None:
    rows = re.findall(r"^\| \d+ \| (.+?) \|", (ROOT / "docs" / "map.md").read_text(), re.M)
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    found = {path.stem for path in ROOT.glob("catalog/*") if not path.stem.startswith("__")}
    assert told == found


@pytest.mark.parametrize("folder", ["guide", "notebooks", "reference", "decisions"])
def test_every_document_is_in_the_index_of_its_folder(folder: str) -> None:
    index = ROOT / "docs" / folder / "README.md"
    listed = (ROOT / "docs" / "README.md").read_text() + index.read_text()
    for document in [*index.parent.glob("*.md"), *index.parent.glob("*.ipynb")]:
        if document != index:
            assert f"({document.name})" in listed or f"({folder}/{document.name})" in listed


def test_the_query_for_neighbours_answers_for_every_galaxy(full_gz: Path) -> None:
    """Whatever the signs of its map; galaxies that qualify are found by hand."""
    guide = (ROOT / "docs" / "guide" / "explain.md").read_text()
    (query,) = re.findall(r"```sql\n(SELECT .*?;)\n```", guide, re.S)
    asked = view_rows(full_gz, query.replace("s.on_neighbours > 0.2", "true").rstrip(";"))
    worst = view_rows(full_gz, "SELECT iauname, label FROM worst ORDER BY rank")
    explained = {row["iauname"] for row in view_rows(full_gz, "FROM saliency")}
    expected = [(row["iauname"], row["label"]) for row in worst if row["iauname"] in explained]
    assert [(row["iauname"], row["label"]) for row in asked] == expected
    assert not [row for row in asked if None in row.values()]
    for row in asked:
        shares = row["on_galaxy"] + row["on_neighbours"] + row["on_sky"]
        assert shares == pytest.approx(1, abs=1e-6)
    beside = [row["iauname"] for row in asked if row["on_neighbours"] > 0.2]
    assert [row["iauname"] for row in view_rows(full_gz, query.rstrip(";"))] == beside
    assert 0 < len(beside) < len(asked)


def _example() -> list[tuple[str, list[str]]]:
    """The worked example: each command, with the lines it is said to print."""
    guide = (ROOT / "docs" / "guide" / "start.md").read_text()
    block = guide.split("<!-- worked example -->")[1].split("<!-- end -->")[0]
    found = []
    for command, output in re.findall(r"```console\n\$ (.*?)\n(.*?)```", block, re.S):
        found.append((command, [line.rstrip() for line in output.splitlines() if line.strip()]))
    return found


@pytest.mark.slow
def test_the_worked_example_prints_what_the_guide_says(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for file in data.iterdir():
        (tmp_path / file.name).symlink_to(file)
    example = _example()
    assert len(example) >= 4
    for command, expected in example:
        words = shlex.split(command)
        assert words[0] == "zoolens"
        done = zoolens(*words[1:])
        assert done.exit_code == 0, f"{command}\n{done.stderr}"
        printed = [line.rstrip() for line in (done.stderr + done.stdout).splitlines()]
        for line in expected:
            assert line in printed, f"{command}\nsaid: {line}\nprinted:\n" + "\n".join(printed)
