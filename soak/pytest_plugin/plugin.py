"""Hooks and the fixture: `@pytest.mark.soak(…)`, `soak_server`, `--soak-report`."""

from __future__ import annotations

import re
import unittest
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from soak.pytest_plugin.options import SoakOptions

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from soak.pytest_plugin.servers import SoakServer

MARKER = (
    "soak(connections=None, max_growth=None, max_rss=None, max_fds=None, timeout_s=600, …): after the test's "
    "own body, load the server of `soak_server` with connections and fail when it leaks or exceeds a limit. "
    'max_growth is "64KiB/connection" or "5MiB/hour"; command=[…, "{port}"] starts another server than the '
    "bundled one."
)
MARGIN_S = 120.0
"""What pytest-timeout allows a soak beyond `timeout_s`, for start and report."""
OUT = pytest.StashKey[Path]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--soak-report`."""
    group = parser.getgroup("soak", "soak: does the server leak?")
    group.addoption(
        "--soak-report",
        metavar="DIR",
        type=Path,
        default=None,
        help="Keep the run directories of soaks here, with their reports (default: a temporary folder).",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", MARKER)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Check the marker, give a marked test its server, and let pytest-timeout wait for the soak."""
    marker = item.get_closest_marker("soak")
    if marker is None or not isinstance(item, pytest.Function):
        return
    options = SoakOptions.of(marker)
    if item.cls is not None and issubclass(item.cls, unittest.TestCase):
        raise pytest.UsageError(f"@pytest.mark.soak: {item.nodeid} is a unittest method; write a function")
    if "soak_server" not in item.fixturenames:
        item.fixturenames.insert(0, "soak_server")
    if item.config.pluginmanager.hasplugin("timeout") and item.get_closest_marker("timeout") is None:
        item.add_marker(pytest.mark.timeout(options.timeout_s + MARGIN_S, func_only=True))


@pytest.fixture
def soak_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SoakServer]:
    """Start the bundled speech server, or the `command` of the test's soak marker; gives `url`, `pid`, `log`.

    One such test runs at a time on a machine, also under pytest-xdist: another would disturb its figures.
    """
    from soak.pytest_plugin.servers import alone_on_this_machine, running_server  # noqa: PLC0415

    options = SoakOptions.of(request.node.get_closest_marker("soak"))
    folder = tmp_path_factory.mktemp("soak")
    kept: Path | None = request.config.getoption("--soak-report")
    request.node.stash[OUT] = folder if kept is None else kept / re.sub(r"[^\w.-]+", "-", request.node.name)
    with alone_on_this_machine(), running_server(options, folder) as server:
        yield server


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Soak the server when the body of a marked test has passed."""
    outcome = yield
    marker = pyfuncitem.get_closest_marker("soak")
    if marker is not None:
        from soak.pytest_plugin.soaking import soak_server_of  # noqa: PLC0415

        server = cast("SoakServer", pyfuncitem.funcargs["soak_server"])
        options = SoakOptions.of(marker)
        soaked = soak_server_of(server, options, pyfuncitem.stash[OUT], pyfuncitem.nodeid)
        pyfuncitem.user_properties.append(("soak", soaked.headline))
        if soaked.failure is not None:
            pytest.fail(soaked.failure, pytrace=False)
    return outcome


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the soaks that were made and what each came to."""
    lines = [
        f"{report.nodeid}: {dict(report.user_properties)['soak']}"
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
        if report.when == "call" and "soak" in dict(report.user_properties)
    ]
    if lines:
        terminalreporter.section("soaks")
        for line in lines:
            terminalreporter.write_line(line)
