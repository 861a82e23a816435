from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from soak.record.manifest import Host, Manifest
from soak.report.markdown import render_markdown
from tests.unit.soak.report.synthetic import saying, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from soak.record import Run
    from soak.report.model import ReportModel
    from soak.verdict.run_verdict import RunVerdict

    Judged = Callable[[str], tuple[Run, RunVerdict]]
    Told = Callable[[str], ReportModel]


def test_an_issue_gets_verdict_figures_host_and_command(model: Told) -> None:
    text = render_markdown(model("leaking"))
    assert text.startswith("## ▲ Memory keeps climbing: `leaking`\n")
    for words in (
        "| Growth per connection | +64 KiB |",
        "| RSS | 180 MiB |",
        "| result timeout | 2 |",
        "| kernel | 6.1.0-28-amd64 |",
        "| allocator environment | nothing set |",
        "decoder/io/model threads 32/8/4",
        "```sh\nsoak run --config leaking",
    ):
        assert words in text


def test_other_resources_get_a_table(model: Told) -> None:
    text = render_markdown(model("keeping"))
    assert text.startswith("## ▲ File descriptors and sockets keep climbing: `keeping`\n")
    head = "| Other resources | start | end | peak | growth per connection (each bound 90 %) | verdict |"
    assert head in text
    assert "| File descriptors | 20 | 426 | 430 | 0.33" in text
    assert "| file descriptors | " not in text


def test_every_run_can_be_pasted(any_name: str, model: Told) -> None:
    text = render_markdown(model(any_name))
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in tables)
    assert "nan" not in text


def test_text_of_the_run_cannot_break_out(judged: Judged) -> None:
    run, verdict = judged("healthy")
    manifest = Manifest(name="`a\n# b`", host=Host(kernel="x | y\n<details>"))
    attack = saying(verdict, "one", "two <img src=x>\n# three")
    text = render_markdown(told(replace(run, manifest=manifest), attack))
    assert "\n# " not in text
    assert "<img" not in text
    assert "| kernel | x \\| y &lt;details> |" in text


def test_the_command_does_not_name_where_the_program_lay(judged: Judged) -> None:
    run, verdict = judged("healthy")
    installed = run.manifest.model_copy(
        update={"command_line": ("/opt/env/bin/soak", "run", "--set", "a.b=c d")}
    )
    module = run.manifest.model_copy(update={"command_line": ("/opt/env/lib/soak/__main__.py", "run")})
    assert "\nsoak run --set 'a.b=c d'\n" in render_markdown(told(replace(run, manifest=installed), verdict))
    assert "\npython -m soak run\n" in render_markdown(told(replace(run, manifest=module), verdict))
