"""The options that several verbs have, each declared once: `name: Config[str | None] = None`.

An alias carries the option's name and help; the verb gives it a type and a default.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeVar

import typer

Value = TypeVar("Value", bound=str | None)
THE_RUN, LIMITS, BASELINE, OUTPUT = "The run", "Limits", "Baseline", "Output"
RECORDING = "Other people's files"
"""The panels of a verb's help."""

Config = Annotated[
    Value,
    typer.Option(
        "--config",
        "-c",
        help="minimal, medium, high (1/1/1, 32/2/1, 32/8/4 decoder/io/model threads) or a TOML file.",
        rich_help_panel=THE_RUN,
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="section.key=value: change one setting of the configuration. Repeatable.",
        rich_help_panel=THE_RUN,
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        help="tiny (bundled), large (the published Paraformer geometry, built on first use) or a folder with "
        "online/ and offline/ models.",
        rich_help_panel=THE_RUN,
    ),
]
Url = Annotated[
    str | None,
    typer.Option(
        help="Address of a server that is already running, such as ws://127.0.0.1:10095 (needs --pid), or of "
        "the one that --command starts.",
        rich_help_panel=THE_RUN,
    ),
]
Pid = Annotated[
    int | None,
    typer.Option(help="Process id of that server, to sample its memory.", rich_help_panel=THE_RUN),
]
Command = Annotated[
    str | None,
    typer.Option(
        help="Start this server and stop it in the end; {port} stands for a free port, here and in --url.",
        rich_help_panel=THE_RUN,
    ),
]
UNVERIFIED = ("load.verify_tls=false",)
"""The setting that `--no-verify-tls` stands for."""
NoVerifyTls = Annotated[
    bool,
    typer.Option(
        "--no-verify-tls",
        help="Do not check the server's certificate (wss://), as for FunASR's self-signed one. It is "
        "checked otherwise, by the authorities of the system or of SSL_CERT_FILE.",
        rich_help_panel=THE_RUN,
    ),
]
Minutes = Annotated[float | None, typer.Option(help="Run for so many minutes.", rich_help_panel=THE_RUN)]
Connections = Annotated[
    int | None, typer.Option(help="Run for so many connections.", rich_help_panel=THE_RUN)
]
MaxGrowth = Annotated[
    str | None,
    typer.Option(
        help="Growth per hour that still counts as a plateau, such as 5MiB. By default what the run is "
        "configured with, else 0.25 % of the level over its length.",
        rich_help_panel=LIMITS,
    ),
]
Confidence = Annotated[
    str | None,
    typer.Option(
        help="How sure a verdict must be, such as 95%: climbing where growth above the budget is at least so "
        "likely, plateau where growth within it is, inconclusive between. Bounds of a growth hold with it, "
        "too. Higher makes fewer mistakes and leaves more undecided. By default what the run is configured "
        "with, else 90%.",
        rich_help_panel=LIMITS,
    ),
]
Tolerance = Annotated[
    float,
    typer.Option(
        min=0,
        help="Smallest change of memory that counts, as a share: 0.03 is 3 %.",
        rich_help_panel=BASELINE,
    ),
]
AllowUnlike = Annotated[
    bool,
    typer.Option(
        "--allow-unlike",
        help="Compare although model, threads, load or machine differ.",
        rich_help_panel=BASELINE,
    ),
]
ProfileIfClimbing = Annotated[
    bool,
    typer.Option(
        "--profile-if-climbing",
        help="When memory climbs, make a second run under a profiler that names the code (see soak profile).",
        rich_help_panel=THE_RUN,
    ),
]
TimeColumn = Annotated[
    str | None,
    typer.Option("--time", help="Column of the time: its name or number.", rich_help_panel=RECORDING),
]
MemoryColumn = Annotated[
    str | None,
    typer.Option("--memory", help="Column of the memory: its name or number.", rich_help_panel=RECORDING),
]
MemoryUnit = Annotated[
    str | None,
    typer.Option(help="Unit of memory where none is written: B, KB, MB, GB.", rich_help_panel=RECORDING),
]
Every = Annotated[
    str | None,
    typer.Option(
        help="Time from one reading to the next, such as 60s, where none is written.",
        rich_help_panel=RECORDING,
    ),
]
Per = Annotated[
    str | None,
    typer.Option(
        help="What one reading is, such as iteration or request: growth is given per that, not per hour.",
        rich_help_panel=RECORDING,
    ),
]
Out = Annotated[
    Path, typer.Option(help="Folder in which the directory of the run is made.", rich_help_panel=OUTPUT)
]
Resume = Annotated[
    Path | None,
    typer.Option(
        help="Go on with what was begun, and not finished, in this directory.", rich_help_panel=OUTPUT
    ),
]
AsJson = Annotated[
    bool,
    typer.Option(
        "--json",
        help="Print the result as JSON, alone, on standard output; words go to standard error.",
        rich_help_panel=OUTPUT,
    ),
]
DEFAULT_OUT = Path("reports")
