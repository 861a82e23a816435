"""What a person sees while a run goes on: a live panel on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from soak.quantity import format_bytes, format_count, format_duration, format_number, format_percent
from soak.record.events import Calibrated
from soak.terminal import SafeConsole
from soak.verdict.verdict import Label
from soak.words import leaning_in_words, sentence

if TYPE_CHECKING:
    from rich.console import RenderableType

    from soak.load.plan import LoadPlan
    from soak.record.events import Event
    from soak.run.history import History
    from soak.run.rows import Row
    from soak.run.watch import Standing
    from soak.verdict.run_verdict import RunVerdict

SPARKS = "▁▂▃▄▅▆▇█"
SPARKLINE_WIDTH = 32
RATE_WINDOW_ROWS = 30
PLAIN_LINES_IN_A_RUN = 100
PLAIN_EVERY_S = (10.0, 600.0)
"""Shortest and longest pause between two plain lines."""


class Progress:
    """How far a run has come; filled by the conductor, shown by a view."""

    def __init__(self, plan: LoadPlan) -> None:
        """Begin at nothing."""
        self._plan = plan
        self._counts: deque[tuple[float, float]] = deque(maxlen=RATE_WINDOW_ROWS)
        self.row: Row = {}
        """The newest row of `samples.csv`."""
        self.start_bytes: float | None = None
        self.peak_bytes = 0.0
        self.last_verdict: RunVerdict | None = None
        """What was said at the newest look; it holds until the next."""
        self.looked_at_s = 0.0
        """When that look was taken, in seconds of the run."""
        self.standing: Standing | None = None
        """The verdict that stands, if one does."""
        self.rate_per_s = plan.rate_per_s
        """Arrivals per second, once known."""

    def take_row(self, row: Row) -> None:
        """Take the newest sample."""
        self.row = row
        rss_bytes = row.get("rss_bytes")
        if isinstance(rss_bytes, int):
            self.peak_bytes = max(self.peak_bytes, rss_bytes)
            if self.start_bytes is None:
                self.start_bytes = rss_bytes
        self._counts.append((self.elapsed_s(), self.count("connections_completed")))

    def take_event(self, event: Event) -> None:
        """Take the calibrated arrival rate from the driver."""
        if isinstance(event, Calibrated):
            self.rate_per_s = event.rate_per_s

    def count(self, column: str) -> float:
        """Return a counter of the newest row, 0 while it is unknown."""
        value = self.row.get(column)
        return float(value) if isinstance(value, int | float) else 0.0

    def elapsed_s(self) -> float:
        """Return the seconds from the start of the run to the newest sample."""
        return self.count("t_s")

    def recent_rate_per_s(self) -> float:
        """Return the connections completed per second over the last samples, rests included."""
        if len(self._counts) < 2:
            return 0.0
        (first_s, first), (last_s, last) = self._counts[0], self._counts[-1]
        return (last - first) / (last_s - first_s) if last_s > first_s else 0.0

    def remaining_s(self) -> float | None:
        """Estimate the seconds left; None while there is nothing to go by."""
        limits = []
        elapsed_s = self.elapsed_s()
        if self._plan.duration_s is not None:
            limits.append(max(0.0, self._plan.duration_s - elapsed_s))
        completed = self.count("connections_completed")
        if self._plan.connections is not None and completed:
            limits.append(max(0.0, (self._plan.connections - completed) * elapsed_s / completed))
        return min(limits) if limits else None

    def limit_in_words(self) -> str:
        """Return how the time left is meant."""
        return "at most" if self._plan.until_decided else "about"

    def fraction(self) -> float:
        """Return how much of the run is done, 0 to 1."""
        remaining_s = self.remaining_s()
        elapsed_s = self.elapsed_s()
        return 0.0 if remaining_s is None else elapsed_s / max(elapsed_s + remaining_s, 1e-9)

    def looked_at_in_words(self) -> str:
        """Return how old the newest look is: ``looked at 2 min ago``."""
        return f"looked at {format_duration(max(self.elapsed_s() - self.looked_at_s, 0.0))} ago"

    def connections_in_words(self) -> str:
        """Return the connections completed, of how many, how fast, open and failed."""
        of = f" of {format_count(self._plan.connections)}" if self._plan.connections else ""
        return (
            f"{format_count(self.count('connections_completed'))}{of}, "
            f"{format_number(self.recent_rate_per_s())}/s, "
            f"{format_count(self.count('open_connections'))} open, "
            f"{format_count(self.count('connections_failed'))} failed"
        )

    def transcripts_in_words(self) -> str | None:
        """Return the character error rate so far and the transcripts that changed; None before the first."""
        if not self.count("connections_completed"):
            return None
        changed = f"{format_count(self.count('transcripts_changed'))} changed"
        characters = self.count("reference_characters")
        if not characters:
            return changed
        return f"CER {format_percent(self.count('character_errors') / characters)}, {changed}"


class View(Protocol):
    """Where progress is shown."""

    def update(self, progress: Progress, history: History) -> None:
        """Show the newest state."""
        ...

    def say(self, text: str) -> None:
        """Show a line that stays."""
        ...

    def warn(self, text: str) -> None:
        """Show a line on standard error, where it is seen even if nobody reads the rest."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was."""
        ...


def view_for(console: Console, title: str) -> View:
    """Return a live panel for a terminal, and plain lines for a pipe or a log."""
    return LiveView(console, title) if console.is_terminal else PlainView(console, title)


class LiveView:
    """A few lines that are redrawn at every sample."""

    def __init__(self, console: Console, title: str) -> None:
        """Begin drawing on `console`."""
        self._title = title
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._live.start()

    def update(self, progress: Progress, history: History) -> None:
        """Redraw."""
        self._live.update(panel(self._title, progress, history), refresh=True)

    def say(self, text: str) -> None:
        """Print above the panel."""
        self._live.console.print(text, highlight=False)

    def warn(self, text: str) -> None:
        """Print above the panel, or where standard error goes if that is elsewhere."""
        _warn(text)

    def close(self) -> None:
        """Take the panel away."""
        self._live.stop()


class PlainView:
    """A line now and then: about a hundred over the whole run."""

    def __init__(self, console: Console, title: str) -> None:
        """Write to `console`."""
        self._console = console
        self._title = title
        self._due_s = 0.0

    def update(self, progress: Progress, history: History) -> None:  # noqa: ARG002 - the other view draws it
        """Write a line if one is due."""
        elapsed_s = progress.elapsed_s()
        if elapsed_s < self._due_s:
            return
        expected_s = elapsed_s + (progress.remaining_s() or 0.0)
        shortest_s, longest_s = PLAIN_EVERY_S
        self._due_s = elapsed_s + min(max(expected_s / PLAIN_LINES_IN_A_RUN, shortest_s), longest_s)
        self.say(plain_line(self._title, progress))

    def say(self, text: str) -> None:
        """Write the line."""
        self._console.print(text, highlight=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        """Write the line to standard error."""
        _warn(text)

    def close(self) -> None:
        """Nothing to take away."""


def _warn(text: str) -> None:
    SafeConsole(stderr=True).print(text, highlight=False, soft_wrap=True)


def plain_line(title: str, progress: Progress) -> str:
    """Return one line with time, memory, connections and the provisional verdict."""
    parts = [
        f"{title} {format_duration(progress.elapsed_s())}",
        _where(progress),
        f"RSS {format_bytes(progress.count('rss_bytes'))}",
        progress.connections_in_words(),
    ]
    transcripts = progress.transcripts_in_words()
    if transcripts is not None:
        parts.append(f"transcripts: {transcripts}")
    if progress.standing is not None:
        parts.append(progress.standing.in_words())
    elif progress.last_verdict is not None:
        parts.append(f"undecided so far{_leaning(progress.last_verdict)} ({progress.looked_at_in_words()})")
    return " | ".join(parts)


def panel(title: str, progress: Progress, history: History) -> RenderableType:
    """Return the live panel: time, memory with its course, connections, provisional verdict."""
    remaining_s = progress.remaining_s()
    left = "" if remaining_s is None else f", {progress.limit_in_words()} {format_duration(remaining_s)} left"
    head = Table.grid(expand=True)
    head.add_column()
    head.add_column(justify="right")
    head.add_row(
        Text(f"soak {title}", style="bold"), f"{format_duration(progress.elapsed_s())} elapsed{left}"
    )
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="bold")
    facts.add_column()
    course = sparkline(history.recent_rss_bytes(SPARKLINE_WIDTH))
    facts.add_row("RSS", f"{format_bytes(progress.count('rss_bytes'))}  {course}")
    facts.add_row(
        "", f"{format_bytes(progress.start_bytes)} at the start, peak {format_bytes(progress.peak_bytes)}"
    )
    facts.add_row("Connections", progress.connections_in_words())
    facts.add_row("Transcripts", progress.transcripts_in_words() or "none yet")
    facts.add_row("Now", _where(progress))
    facts.add_row("So far", _so_far(progress))
    bar = Table.grid(expand=True)  # by itself the bar does not end its line
    bar.add_row(ProgressBar(total=1.0, completed=progress.fraction()))
    return Group(head, bar, facts)


def sparkline(values: list[float]) -> str:
    """Draw values as a row of bars, the smallest lowest; empty for no values."""
    if not values:
        return ""
    low, high = min(values), max(values)
    top = len(SPARKS) - 1
    span = (high - low) or 1.0
    return "".join(SPARKS[round((value - low) / span * top)] for value in values)


PHASES_IN_WORDS = {
    "start": "waiting for a first result",
    "baseline": "quiet before the load",
    "calibrate": "finding an arrival rate",
    "load": "load",
    "drain": "waiting for the last connections",
    "settle": "letting the server free closed connections",
    "rest": "quiet window",
    "done": "done",
}


def _where(progress: Progress) -> str:
    phase = str(progress.row.get("phase") or "start")
    words = PHASES_IN_WORDS.get(phase, phase)
    block = progress.count("block")
    rate = f", {format_number(progress.rate_per_s)} arrivals/s" if progress.rate_per_s else ""
    return f"{words} (block {block:.0f}{rate})" if block else words


def _so_far(progress: Progress) -> str:
    if progress.standing is not None:
        return progress.standing.in_words()
    verdict = progress.last_verdict
    if verdict is None:
        return "nothing to say yet"
    looked = progress.looked_at_in_words()
    if verdict.label is not Label.INCONCLUSIVE:
        return f"undecided: it looks like {verdict.label} ({looked}); the next look must agree"
    said = f"undecided{_leaning(verdict)} ({looked})"
    return f"{said}: {sentence(verdict.reasons[0])}" if verdict.reasons else said


def _leaning(verdict: RunVerdict) -> str:
    if verdict.leaning is Label.INCONCLUSIVE:
        return ""
    return f", {leaning_in_words(verdict.probability_climbing)}"
