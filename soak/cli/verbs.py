"""The verbs by name. What a verb needs is imported when it is used, so that help comes at once."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import typer
from typer.core import TyperGroup

EPILOG = (
    "Exit codes: 0 plateau, 1 climbing, 2 usage or configuration, 3 inconclusive, "
    "4 the server failed, 70 soak itself failed, 130 interrupted."
)
CONTEXT_SETTINGS = {"help_option_names": ["-h", "--help"]}


@dataclass(frozen=True)
class Verb:
    """One verb, before its module is imported."""

    module: str
    """Where it is: a function of the verb's name, or an `app` of further verbs."""
    summary: str
    """What it does: the first line of its own help."""
    judges: bool = False
    """Whether its exit code is a verdict."""


VERBS = {
    "run": Verb(
        "soak.cli.run",
        "Load a server with connections and say whether its memory plateaus or climbs.",
        judges=True,
    ),
    "analyze": Verb(
        "soak.cli.analyze",
        "Judge what has been recorded: a run directory (even one cut short by a kill) or any file of memory.",
        judges=True,
    ),
    "check": Verb(
        "soak.cli.check",
        "For CI: run until decided (or take a run), judge by limits and a baseline, write what CI reads.",
        judges=True,
    ),
    "baseline": Verb("soak.cli.baseline", "The figures of runs, kept in a small file to compare with."),
    "compare": Verb(
        "soak.cli.compare",
        "Compare runs, folders of repeats, or baselines: better, worse, or no difference shown.",
    ),
    "profile": Verb(
        "soak.cli.profile",
        "Run the load under a sampling allocator and name the code that keeps the memory that grows.",
        judges=True,
    ),
    "history": Verb(
        "soak.cli.history",
        "Find the run at which memory stepped, among many runs of one thing.",
    ),
    "report": Verb(
        "soak.cli.report",
        "Write verdict.json, report.html and memory.png of recorded runs anew, from what they recorded.",
    ),
    "advise": Verb(
        "soak.cli.advise",
        "Say what follows from a run: memory limit, threads, restarts, capacity, alerts.",
    ),
    "verify-limit": Verb(
        "soak.cli.verify_limit",
        "Run the load in a memory cgroup with the advised limit, and with too little, and see what happens.",
    ),
    "experiment": Verb(
        "soak.cli.experiment",
        "Run the same load under several mitigations and say which lowers memory, and at what price.",
    ),
    "selftest": Verb(
        "soak.cli.selftest",
        "Put known leaks into the bundled server and see whether soak finds, measures and names them.",
    ),
    "model": Verb("soak.cli.model", "The models of the bundled server."),
}


class VerbGroup(TyperGroup):
    """A group whose verbs are stand-ins with a summary until one of them is called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Import the verb that `args` call."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, load(name) if name in VERBS else command, rest


def add_verbs(app: typer.Typer) -> None:
    """Put the stand-ins of all verbs into `app`, whose class must be `VerbGroup`."""
    for name, verb in VERBS.items():
        app.command(name, help=verb.summary, epilog=EPILOG if verb.judges else None)(_stand_in)


def load(name: str) -> Any:
    """Import verb `name` and return its command."""
    module = importlib.import_module(VERBS[name].module)
    app = getattr(module, "app", None)
    if app is None:
        app = typer.Typer(
            add_completion=False,
            pretty_exceptions_enable=False,
            rich_markup_mode="rich",
            context_settings=CONTEXT_SETTINGS,
        )
        app.command(name, epilog=EPILOG if VERBS[name].judges else None)(
            getattr(module, name.replace("-", "_"))
        )
    return typer.main.get_command(app)


def _stand_in() -> None:
    raise AssertionError("a verb is imported before it is called")
