"""What the documentation says is true: its generated parts are current, its examples run."""

import re
import tomllib

import pytest

import deepmoji
from benchmarks import sentences
from scripts import blocks, commands, readme
from tests.source_tree import PACKAGE, ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md")])
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHIPPED = PACKAGE / "models" / "default"


def test_readme_is_current():
    assert readme.render(README, readme.read_results()) == README, "run: make readme"


def test_readme_lacks_no_figure():
    assert readme.missing_results(readme.read_results()) == []


def test_readme_names_every_source_file():
    tree = readme.tree({})
    for path in PACKAGE.rglob("*.py"):
        name = f"{path.parent.name}/" if path.name == "__init__.py" else path.name
        assert name in tree


def test_every_source_file_says_what_it_is():
    lines = readme.tree({}).splitlines()
    assert [line for line in lines if line.strip().endswith(".py")] == []


@pytest.mark.parametrize("path", sorted(readme.RESULTS.glob("*.json")), ids=lambda path: path.stem)
def test_results_hold_no_path_of_the_machine_they_were_made_on(path):
    assert re.findall(r"[\"' =]/\w+/\S*", path.read_text(encoding="utf-8")) == []


def test_command_reference_is_current():
    written = commands.REFERENCE.read_text(encoding="utf-8")
    assert commands.render() == written, "run: make readme"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.skipif(not SHIPPED.is_dir(), reason="needs the shipped model")
def test_readme_example_runs(capsys):
    snippets = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert snippets
    for snippet in snippets:
        exec(snippet, {})  # noqa: S102 - our own README


def test_demo_and_readme_show_the_same_sentences():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.findall(r'"(I love .*|This is .*)"', makefile) == list(sentences.SENTENCES)


def test_version_has_one_source():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert deepmoji.__version__ == project["version"]
    assert f"## {project['version']}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_a_part_that_nothing_generates_is_an_error():
    with pytest.raises(ValueError, match="quality"):
        blocks.fill("<!-- generated: quality -->\n<!-- end -->", {})


def test_missing_results_are_named():
    document = "".join(f"<!-- generated: {name} -->\n<!-- end -->\n" for name in readme.BLOCKS)
    assert "Not measured yet: `python -m benchmarks.sentences`" in readme.render(document, {})
