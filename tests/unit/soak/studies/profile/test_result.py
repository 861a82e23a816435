from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from rich.console import Console

from soak.errors import ExitCode, SoakError
from soak.studies.profile.exit_code import profile_exit_code
from soak.studies.profile.frames import Frame, Stack
from soak.studies.profile.heap_course import HeapCourse
from soak.studies.profile.holders import Holder
from soak.studies.profile.page import flames, render_page
from soak.studies.profile.result import ProfileResult, profile_result
from soak.studies.profile.table import profile_in_the_terminal
from soak.studies.profile.words import issue_text
from soak.verdict.verdict import Label

if TYPE_CHECKING:
    from pathlib import Path

MOMENTS = 14
T_S = 4.0 * np.arange(1, MOMENTS + 1, dtype=np.float64)
CONNECTIONS = 10.0 * np.arange(1, MOMENTS + 1, dtype=np.float64)
LEAK: Stack = (
    Frame("operator new(unsigned long)", None, None, "libstdc++.so.6"),
    Frame("std::vector<char>::vector", "/usr/include/c++/12/bits/vector.h", 567, "server", 9, inlined=True),
    Frame("Session::Session(int)", "/src/session.cc", 7, "server", 8),
    Frame("Server::on_close(int)", "/src/server.cc", 40, "server", 7),
    Frame("main", "/src/main.cc", 3, "server", 6),
)
WARM_UP: Stack = (Frame("Model::load()", "/src/model.cc", 12, "server", 5), LEAK[-1])
COMMAND = "soak profile --command './server --port {port}'"
HOLDER = Holder("list", "server.sessions.KEPT", ("server.Server.sessions",), 140, "Session", 7_100_000)


def course(kept_bytes: float = 51200.0) -> HeapCourse:
    stacks = {
        LEAK: kept_bytes * CONNECTIONS + 1000.0,
        WARM_UP: 30e6 + 4e5 * (1.0 - np.exp(-T_S / 3.0)),
    }
    return HeapCourse(T_S, CONNECTIONS, stacks, np.sum(list(stacks.values()), axis=0), ("/opt/bin/server",))


def result(kept_bytes: float = 51200.0) -> ProfileResult:
    return profile_result(
        course(kept_bytes), [HOLDER], run="20261126T200000Z-profile", profiler="jemalloc", command=COMMAND
    )


def printed(found: ProfileResult) -> str:
    console = Console(width=80, record=True, file=None)
    with console.capture() as capture:
        console.print(profile_in_the_terminal(found), highlight=False)
    return capture.get()


def test_the_leak_is_told_with_slope_share_site_and_stack() -> None:
    found = result()
    text = printed(found)
    assert re.search(r"Session::Session \(session.cc:7\) keeps (49|50)\S* KiB per connection", text)
    assert re.search(r"(49|50)\S* KiB/connection", text)
    assert "← Server::on_close (server.cc:40)" in text
    assert "→ Session::Session (session.cc:7)" in text
    assert "list `server.sessions.KEPT`" in text
    assert max(map(len, text.splitlines())) <= 80
    assert profile_exit_code(found) is ExitCode.CLIMBING


def test_a_healthy_server_has_no_culprit() -> None:
    found = result(0.0)
    assert found.heap.label is Label.PLATEAU
    assert not found.culprits
    assert profile_exit_code(found) is ExitCode.PLATEAU
    assert "The heap in use is flat" in printed(found)
    assert "keeps" not in issue_text(found)


def test_too_few_windows_say_what_to_do() -> None:
    whole = course()
    short = HeapCourse(T_S[:3], CONNECTIONS[:3], {}, whole.total_bytes[:3])
    found = profile_result(short, [], run="run", profiler="memray", command=COMMAND)
    assert profile_exit_code(found) is ExitCode.INCONCLUSIVE
    assert "give more --connections" in " ".join(printed(found).split())
    assert render_page(found, short)


def test_the_text_for_an_issue_holds_verdict_slope_stack_and_command() -> None:
    text = issue_text(result())
    assert "- verdict: climbing" in text
    assert re.search(r"- slope: (49|50)\S* KiB per connection \(.+, each bound 90 %\), \d", text)
    assert "Server::on_close(int)  /src/server.cc:40" in text
    assert COMMAND in text


def test_profile_json_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    found = result()
    found.write(tmp_path)
    again = ProfileResult.read(tmp_path)
    assert again.to_json_object() == found.to_json_object()
    recorded = json.loads((tmp_path / "profile.json").read_text(encoding="utf-8"))
    (worst, *_) = recorded["stacks"]
    assert worst["verdict"] == "climbing"
    assert worst["bytes_per_connection"]["estimate"] == pytest.approx(51200, rel=0.01)
    assert worst["site"]["line"] == 7
    assert worst["kept_by"]["name"] == "server.sessions.KEPT"
    assert len(worst["bytes"]) == len(recorded["connections"]) == MOMENTS


@pytest.mark.parametrize("text", ["", "{}", '{"schema_version": 1}', "[]"])
def test_what_is_no_profile_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "profile.json").write_text(text, encoding="utf-8")
    with pytest.raises(SoakError, match="is no profile"):
        ProfileResult.read(tmp_path)


def test_a_profile_of_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "profile.json").write_text('{"schema_version": 9}', encoding="utf-8")
    with pytest.raises(SoakError, match="schema_version 9"):
        ProfileResult.read(tmp_path)
    with pytest.raises(SoakError, match="make it with soak profile"):
        ProfileResult.read(tmp_path / "nowhere")


def test_flames_grow_from_the_outermost_call_without_libraries() -> None:
    tree = flames(course())
    (main,) = tree.calls
    assert main.function == "main"
    inner = tree.calls[main]
    assert {frame.function for frame in inner.calls} == {"Server::on_close(int)", "Model::load()"}
    assert sum(each.gained_bytes for each in inner.calls.values()) == pytest.approx(tree.gained_bytes)
    assert tree.depth() == 4


def test_the_page_needs_no_network_and_escapes_names() -> None:
    page = render_page(result(), course())
    assert 'id="search"' in page
    assert "std::vector&lt;char&gt;" in page
    assert not re.search(r"<(?:script|link|img)[^>]+(?:src|href)=", page)
