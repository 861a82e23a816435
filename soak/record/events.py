"""What may happen in a run: one class an event, written to `events.jsonl` and read from it.

A value of the wrong type costs that value where the event has a meaning without it, and the event otherwise;
it is never the end of the reading. Events of another version are kept as they are.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, Strict, ValidationError

from soak.record.recorded import (
    Count,
    Number,
    Recorded,
    Seconds,
    Texts,
    faulty_keys,
    first_fault,
)
from soak.verdict.verdict import Label


class Event(Recorded):
    """Something that happened in a run."""

    NAME: ClassVar[str] = ""
    """As in the file, under `event`."""
    t_s: Seconds | None = None
    """When, in seconds since the run began; put in when it is written."""
    utc: str = ""
    """The same as an ISO 8601 stamp."""

    @property
    def name(self) -> str:
        """What it is called in the file."""
        return self.NAME

    def details(self) -> dict[str, Any]:
        """Return what stands in the file beside name and time."""
        return {
            key: value for key, value in self.to_json_object().items() if key not in {"t_s", "utc", "event"}
        }


class OtherEvent(Event):
    """An event of another version, or what is only told in the record."""

    event: str

    @property
    def name(self) -> str:
        """What it is called in the file."""
        return self.event


class RunStarted(Event):
    """The run directory is there."""

    NAME = "run_started"


class ServerStarted(Event):
    """The server listens, or was found."""

    NAME = "server_started"
    pid: Count | None = None
    url: str = ""


class SourcesChosen(Event):
    """What memory is read from."""

    NAME = "sources"
    sources: Annotated[tuple[dict[str, Any], ...], Strict(strict=False)] = ()
    left_out: Texts = ()


class SourceGap(Event):
    """A source could not be read; told the first time for each reason."""

    NAME = "source_gap"
    source: str = ""
    reason: str = ""


class SourceGone(SourceGap):
    """A source is gone for good."""

    NAME = "source_gone"


class SourcesRead(Event):
    """What reading the sources has cost the harness."""

    NAME = "sources_read"
    sources: Annotated[tuple[dict[str, Any], ...], Strict(strict=False)] = ()


class Ready(Event):
    """The server gave a first result."""

    NAME = "ready"
    attempts: Count | None = None
    waited_s: Seconds | None = None
    transcript: str = ""


class NotReady(Event):
    """The server never gave a first result."""

    NAME = "not_ready"
    attempts: Count | None = None
    kind: str = ""
    detail: str = ""


class Calibrated(Event):
    """How the arrival rate was found."""

    NAME = "calibrated"
    rate_per_s: Annotated[Number, Field(gt=0)]
    throughput_per_s: Number | None = None
    connections: Count | None = None
    seconds: Seconds | None = None


class Phase(Event):
    """The load went on to another phase."""

    NAME = "phase"
    phase: str
    block: Count = 0


class ConnectionFailed(Event):
    """One of the first failed connections of a kind."""

    NAME = "connection_failed"
    kind: str = "unknown"
    detail: str = ""
    clip: str = ""
    connection: Count | None = None


class FirstTranscript(Event):
    """The first transcript of a recording; None for what is not known of it."""

    NAME = "first_transcript"
    clip: str
    connection: Count | None = None
    reference: str | None = None
    """What is said in it."""
    transcript: str
    character_errors: Count | None = None
    reference_characters: Count | None = None


class TranscriptChanged(Event):
    """A connection whose transcript differs from the first one of the same recording."""

    NAME = "transcript_changed"
    clip: str = ""
    connection: Count | None = None
    """Its number, from 1; None in runs of before these were recorded."""
    now: str = ""
    first: str = ""
    first_connection: Count | None = None
    """The connection that got the first transcript."""


class ClipCounts(Recorded):
    """What became of one recording so far; None for what is not known."""

    clip: str
    connections: Count | None = None
    """Connections that got a transcript."""
    transcripts_changed: Count = 0
    character_errors: Count | None = None
    reference_characters: Count | None = None


class TranscriptCounts(Event):
    """What became of the recordings so far."""

    NAME = "transcripts"
    clips: Annotated[tuple[ClipCounts, ...], Strict(strict=False)] = ()


class NoMoreDetails(Event):
    """From now on an event is only counted."""

    NAME = "no_more_details"
    counted: str = Field("", alias="of")
    """Its name."""


class SampleMissed(Event):
    """Samples were not taken in time."""

    NAME = "sample_missed"
    count: Count = 1


class Interrupted(Event):
    """Ctrl-C, or SIGTERM."""

    NAME = "interrupted"


class LoadEnded(Event):
    """The driver has ended."""

    NAME = "load_ended"
    reason: str = ""
    failures: dict[str, Count] = Field(default_factory=dict)
    """Failed connections by kind."""


class ServerExited(Event):
    """The server ended before the run did."""

    NAME = "server_exited"
    return_code: int | None = None
    oom_killed: bool = False
    how: str = "its process is gone"
    """In a few words."""
    log_tail: Texts = ()
    """The last lines of its log, oldest first."""


class RunEnded(Event):
    """The load and the sampling are over."""

    NAME = "run_ended"
    reason: str = ""


class TypeCount(Recorded):
    """Python objects of one type."""

    count: Count
    bytes: Count


class PythonObjects(Event):
    """The server's Python objects, counted by itself."""

    NAME = "python_objects"
    when: str
    """`start` or `end`: before or after the load."""
    total_bytes: Count = 0
    total_count: Count = 0
    types: dict[str, TypeCount] = Field(default_factory=dict)
    """The types that hold most."""


class ProbeMemory(Recorded):
    """Memory before or after a probe, in bytes."""

    rss_bytes: Number
    classes: dict[str, Number] = Field(default_factory=dict)
    """By column of the classes of mappings."""


class ProbedArena(Recorded):
    """What the arena of one of ONNX Runtime's sessions held, in bytes."""

    graph: str
    loaded_bytes: Number
    held_bytes: Number
    shrunk_bytes: Number


class ProbeDetail(Recorded):
    """What the server answered to a probe."""

    shrunk: bool | None = None
    """Of arenas: whether there was one to shrink."""
    arenas: Annotated[tuple[ProbedArena, ...], Strict(strict=False)] = ()


class Probe(Event):
    """The server was asked to give memory back."""

    NAME = "probe"
    probe: str
    """`gc`, `arena_shrink` or `trim`."""
    by: str = ""
    took_s: Seconds | None = None
    before: ProbeMemory
    after: ProbeMemory
    detail: ProbeDetail = ProbeDetail()


class ProbeFailed(Event):
    """A probe gave no answer."""

    NAME = "probe_failed"
    probe: str = ""
    by: str = ""
    why: str = ""


class Growth(Recorded):
    """A growth with its interval; None where nothing could be estimated."""

    estimate: Number
    low: Number | None = None
    high: Number | None = None


class VerdictChanged(Event):
    """What stands while the run goes on has changed."""

    NAME = "verdict"
    verdict: Annotated[Label, Strict(strict=False)]
    was: Annotated[Label, Strict(strict=False)]
    look: Count | None = None
    up_to_s: Seconds | None = None
    connections: Number | None = None
    growth_bytes_per_hour: Growth | None = None
    growth_bytes_per_connection: Growth | None = None
    confidence: Number | None = None
    """Probability from which a verdict was given."""
    resources: Texts = ()
    """Columns of other resources whose climb stands."""
    reason: str = ""


class FinalLook(Event):
    """The look a run until decided ended on."""

    NAME = "final_look"
    verdict: Annotated[Label, Strict(strict=False)]
    """What it said, on the record as it was then."""
    up_to_s: Seconds
    """The newest sample it saw. What was sampled later, while the block in progress was finished, is not
    judged."""
    stopped_early: bool
    """Whether the run ended because of it, and not because it was over anyway."""
    looks: Count
    """Looks that were taken, this one included."""
    duration_s: Seconds | None
    """The longest the run could have lasted; None where only connections limited it."""
    connections: Count | None
    """The most connections it could have made; None where only time limited it."""


def _classes(of: type[Event]) -> list[type[Event]]:
    return [each for direct in of.__subclasses__() for each in (direct, *_classes(direct))]


KNOWN: Mapping[str, type[Event]] = {each.NAME: each for each in _classes(Event) if each.NAME}
"""The class of each event, by its name in the file."""


def event_of(name: str, details: Mapping[str, Any]) -> Event:
    """Return the event that somebody else tells of, typed where it fits, as it was told otherwise."""
    try:
        return KNOWN.get(name, OtherEvent).of({**details, **({} if name in KNOWN else {"event": name})})
    except ValidationError:
        return OtherEvent.model_construct(event=name, **details)


def read_event(recorded: Mapping[str, Any]) -> tuple[Event | None, str | None]:
    """Return a recorded event as far as it can be used, None where it cannot, with what is wrong with it."""
    name = recorded.get("event")
    if not isinstance(name, str):
        return None, "an event without a name"
    kind = KNOWN.get(name, OtherEvent)
    details = {key: value for key, value in recorded.items() if key != "event" or kind is OtherEvent}
    try:
        return kind.of(details), None
    except ValidationError as error:
        fault = f"{name}: {first_fault(error)}"
        sound = {key: value for key, value in details.items() if key not in faulty_keys(error)}
    try:
        return kind.of(sound), fault
    except ValidationError:
        return None, fault
