"""The process that soaks a test's server: `python -m soak.pytest_plugin.soak_process`, a request on stdin.

It calls the library and prints what `check.json` holds. It is a process of its own because

- only a process can be ended in time, whatever it hangs in: Ctrl-C (SIGINT) ends the load, and verdict and
  report are written from what there is; SIGKILL ends the rest;
- a run needs a main thread, its signals and an event loop, which a test session may have taken;
- what the session does to its interpreter (warnings as errors, captured output, patched modules, its memory)
  must not reach the measurement.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from soak.config import Length, load_config, overrides_of
from soak.config.judge_options import judge_asked
from soak.config.sizes import growth_budget, size_bytes
from soak.errors import ExitCode, SoakError
from soak.pytest_plugin.request import Request
from soak.studies.check.limits import Limits
from soak.studies.check.result import CheckResult, Criteria, check_made
from soak.studies.check.rhythm import RHYTHM
from soak.studies.conduct import PlannedRun, make_run, started
from soak.targets import Attachment, Bundled
from soak.terminal import SafeConsole

if TYPE_CHECKING:
    from soak.pytest_plugin.options import SoakOptions

SHARE_OF_TIME = 0.8
"""Of a soak's `timeout_s`, for its load; the rest is for its start and its report."""


def limits_of(options: SoakOptions) -> Limits:
    """Return what the run may come to at most; raises `SoakError` for what is no size."""
    per_connection, per_hour = options.growth_per("connection"), options.growth_per("hour")
    return Limits(
        max_rss_bytes=None if options.max_rss is None else size_bytes("max_rss", options.max_rss),
        max_growth_bytes_per_hour=None if per_hour is None else growth_budget(per_hour),
        max_bytes_per_connection=None if per_connection is None else size_bytes("max_growth", per_connection),
        max_fds=options.max_fds,
        max_failed_share=options.max_failures,
    )


def length_of(options: SoakOptions) -> Length:
    """Return how long to run: so many connections, or until it is decided within the time limit."""
    if options.connections is not None:
        return Length.asked(connections=options.connections)
    return Length.asked(max_minutes=SHARE_OF_TIME * options.timeout_s / 60, until_decided=True)


def planned(request: Request) -> PlannedRun:
    """Return the run that is asked for; raises `SoakError` when its settings are wrong."""
    options = request.options
    target = Attachment(request.url, request.pid)
    name = options.config or target.default_config
    settings = tuple(options.settings)
    if options.command is None:  # the bundled server, which the test session has started
        name = options.config or Bundled().default_config
        settings = (*RHYTHM, "sample.probe=server", *settings)
    asked = judge_asked(max_growth=options.growth_per("hour"))
    overrides = overrides_of(length_of(options), judge=asked)
    return PlannedRun(load_config(name, settings, overrides), "the soak of a test", target=target)


def soak(request: Request) -> CheckResult:
    """Make the run and check it; raises `SoakError` when there is none to check."""
    made = started(make_run(planned(request), Path(request.out), SafeConsole(stderr=True)))
    return check_made(made, Criteria(limits_of(request.options), None, request.options.allow_inconclusive))


def main() -> int:
    """Soak what standard input asks for; its result goes to standard output, all words to standard error."""
    request = Request.of_json(sys.stdin.read())
    sys.argv = ["pytest", request.test]  # how to have this run again, for its record
    try:
        result = soak(request)
    except SoakError as error:
        sys.stderr.write(f"soak: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    sys.stdout.write(json.dumps(result.to_json_object()))
    return result.exit_code


if __name__ == "__main__":
    sys.exit(main())
