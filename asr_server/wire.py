"""The FunASR 2pass WebSocket protocol, sans-I/O: frames in, events out; no socket and no clock.

`ServerDialogue` is the server's side of one connection and `ClientDialogue` the client's; the server, the
load driver and the tests all use these two. Unknown keys are ignored, as the original does; a value of the
wrong type raises `WireError`, where the original drops the connection's audio or ends the whole process.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeGuard, cast, get_args

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Mode = Literal["online", "offline", "2pass"]
ResultMode = Literal["2pass-online", "2pass-offline"]

SAMPLE_RATES_HZ = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
"""Rates of PCM that `audio_fs` may name; all but 16000 are resampled by the server."""
CHUNK_UNIT_MS = 60
"""What one unit of `chunk_size` lasts: a 10 ms frame shift times a low frame rate of 6."""
MAX_CHUNK_UNITS = 100
"""Upper bound of each number in `chunk_size` (6 s), so that no client can ask for an endless buffer."""
MAX_NAME_CHARS = 1024
"""Upper bound of the length of `wav_name`, which every result repeats."""
MAX_NESTING = 32
"""Upper bound of objects and lists within each other; those of the protocol go two deep."""
MAX_BRACKETS = 1000
"""Upper bound of objects and lists in a message, those that stand in its strings counted."""

CLOSE_UNSUPPORTED_DATA = 1003
CLOSE_INVALID_DATA = 1007
CLOSE_POLICY_VIOLATION = 1008
CLOSE_MESSAGE_TOO_BIG = 1009

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")
_EXAMPLE = (
    '{"mode": "2pass", "chunk_size": [5, 10, 5], "wav_name": "a", "wav_format": "pcm", "is_speaking": true}'
)


class WireError(Exception):
    """What a client did wrong: one line that says what it was and what to send instead.

    `close_code` is the WebSocket close code that fits (RFC 6455, 7.4.1).
    """

    def __init__(self, message: str, close_code: int = CLOSE_INVALID_DATA) -> None:
        """Keep the message and the close code."""
        super().__init__(message)
        self.message = message
        self.close_code = close_code


@dataclass(frozen=True)
class UtteranceConfig:
    """What the client's first text frame says about its audio; the defaults are FunASR's.

    `chunk_size` is [left, chunk, right] in units of 60 ms; `chunk_interval` says how many frames the client
    cuts a chunk into; `hotwords` is the string as it came; `audio_fs` is in Hz.
    """

    mode: Mode = "2pass"
    wav_name: str = "wav-default-id"
    wav_format: str = "pcm"
    audio_fs: int = 16000
    chunk_size: tuple[int, int, int] = (5, 10, 5)
    chunk_interval: int = 10
    hotwords: str = ""
    itn: bool = True


@dataclass(frozen=True)
class Configured:
    """A text frame with configuration came; `first` marks the first one of the connection."""

    config: UtteranceConfig
    first: bool


@dataclass(frozen=True)
class AudioReceived:
    """PCM16 LE mono came: whole samples only, whatever the sizes of the frames were."""

    pcm: bytes


@dataclass(frozen=True)
class UtteranceEnded:
    """The client said that the utterance is over, and waits for exactly one final result."""


ServerEvent = Configured | AudioReceived | UtteranceEnded


class ServerDialogue:
    """The server's side of one connection. Raises `WireError` for what a client must not send."""

    def __init__(self) -> None:
        """Wait for the configuration."""
        self.config: UtteranceConfig | None = None
        """The configuration now in force; None until the first text frame."""
        self.audio_fs_hz = UtteranceConfig.audio_fs
        """The rate of the audio in the present utterance: another one holds from the next utterance on."""
        self._odd_byte = b""
        self._in_utterance = False

    def receive_text(self, text: str) -> list[ServerEvent]:
        """Take one text frame: configuration, end of utterance, or both in this order."""
        message = _parse_object(text)
        settings = _settings_of(message)
        ended = _ends_utterance(message)
        first = self.config is None
        if first and ended and not settings:
            raise WireError(
                f"the end of the utterance came before its configuration: first send a frame like {_EXAMPLE}",
                CLOSE_POLICY_VIOLATION,
            )
        events: list[ServerEvent] = []
        if self.config is None:
            self.config = UtteranceConfig(**settings)
        else:  # as in the original, the first chunk_size and the first hotwords of a connection stay
            kept = {key: value for key, value in settings.items() if key not in {"chunk_size", "hotwords"}}
            self.config = replace(self.config, **kept)
        if first or settings:
            events.append(Configured(self.config, first))
        if ended:
            self._odd_byte, self._in_utterance = b"", False
        if not self._in_utterance:
            self.audio_fs_hz = self.config.audio_fs
        if ended:
            events.append(UtteranceEnded())
        return events

    def receive_binary(self, data: bytes) -> list[ServerEvent]:
        """Take one binary frame of audio; half a sample at its end waits for the next frame."""
        if self.config is None:
            raise WireError(
                f"audio came before the configuration: send a text frame like {_EXAMPLE} first",
                CLOSE_POLICY_VIOLATION,
            )
        pcm = self._odd_byte + data if self._odd_byte else data
        whole = len(pcm) - len(pcm) % 2
        self._odd_byte = pcm[whole:]
        self._in_utterance = self._in_utterance or whole > 0
        return [AudioReceived(pcm[:whole])] if whole else []


def _parse_object(text: str) -> dict[str, Any]:
    """The JSON object in a text frame; `WireError` for anything else."""
    if nesting(text) > MAX_NESTING:
        raise WireError(
            f"the text frame is not valid JSON here: nested more than {MAX_NESTING} deep, or with more than "
            f"{MAX_BRACKETS} brackets; send {_EXAMPLE}"
        )
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise WireError(f"the text frame is not valid JSON: send an object like {_EXAMPLE}") from None
    if not isinstance(message, dict):
        raise WireError(f"the text frame must hold a JSON object, not {_shown(message)}: send {_EXAMPLE}")
    return message


def nesting(text: str) -> int:
    """Return how deep the objects and lists in a JSON text are nested, without parsing it.

    A text with few brackets is told their number, which is no less, and so is one with very many.
    """
    brackets = text.count("[") + text.count("{")
    if not MAX_NESTING < brackets <= MAX_BRACKETS:
        return brackets
    depth = deepest = 0
    for found in _BRACKET.findall(_STRING.sub("", text)):
        if found in "[{":
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    return deepest


def _settings_of(message: Mapping[str, Any]) -> dict[str, Any]:
    """The checked values of the keys that are fields of `UtteranceConfig`."""
    return {key: check(message[key]) for key, check in _CHECKS.items() if key in message}


def _ends_utterance(message: Mapping[str, Any]) -> bool:
    """Whether the frame says `is_speaking: false` or `is_finished: true`."""
    for key in ("is_speaking", "is_finished"):
        if not isinstance(message.get(key, True), bool):
            raise WireError(f"{key} must be true or false, not {_shown(message[key])}")
    return message.get("is_speaking") is False or message.get("is_finished") is True


def _shown(value: object) -> str:
    """A short ASCII rendering of a client's value, safe inside a one-line message."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        simple = len(value) <= 4 and not any(isinstance(item, list | dict | str) for item in value)
        return json.dumps(value) if simple else f"a list of {len(value)} values"
    text = json.dumps(value[:40] if isinstance(value, str) else value)
    return text if len(text) <= 40 else text[:37] + "..."


def _is_int(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_mode(value: object) -> Mode:
    if not isinstance(value, str) or value not in get_args(Mode):
        raise WireError(f'mode must be "online", "offline" or "2pass", not {_shown(value)}')
    return cast("Mode", value)


def _check_wav_name(value: object) -> str:
    if not isinstance(value, str):
        raise WireError(
            f'wav_name must be a string, not {_shown(value)}: send for example "wav_name": "call-17"'
        )
    if len(value) > MAX_NAME_CHARS:
        raise WireError(f"wav_name has {len(value)} characters: send at most {MAX_NAME_CHARS}")
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise WireError("wav_name holds half of a surrogate pair: send valid Unicode")
    return value


def _check_wav_format(value: object) -> str:
    if not isinstance(value, str) or value.lower() != "pcm":
        wanted = "send 16-bit little-endian mono samples without a header"
        raise WireError(f'wav_format must be "pcm", not {_shown(value)}: {wanted}', CLOSE_UNSUPPORTED_DATA)
    return "pcm"


def _check_audio_fs(value: object) -> int:
    if not _is_int(value):
        raise WireError(
            f'audio_fs must be an integer in Hz, not {_shown(value)}: send for example "audio_fs": 16000'
        )
    if value not in SAMPLE_RATES_HZ:
        rates = ", ".join(map(str, SAMPLE_RATES_HZ))
        raise WireError(
            f"audio_fs {_shown(value)} is not supported: send one of {rates}", CLOSE_UNSUPPORTED_DATA
        )
    return value


def _check_chunk_size(value: object) -> tuple[int, int, int]:
    example = 'send for example "chunk_size": [5, 10, 5]'
    if not isinstance(value, list) or len(value) != 3 or not all(map(_is_int, value)):
        raise WireError(f"chunk_size must be a list of three integers, not {_shown(value)}: {example}")
    left, chunk, right = value
    if chunk < 1:
        raise WireError(
            f"chunk_size {_shown(value)} has no chunk: its second number must be at least 1; {example}"
        )
    if min(value) < 0 or max(value) > MAX_CHUNK_UNITS:
        raise WireError(
            f"chunk_size {_shown(value)} must hold numbers from 0 to {MAX_CHUNK_UNITS}: {example}"
        )
    return left, chunk, right


def _check_chunk_interval(value: object) -> int:
    if not _is_int(value) or not 1 <= value <= 1000:
        raise WireError(
            f"chunk_interval must be an integer from 1 to 1000, not {_shown(value)}: send for example 10"
        )
    return value


def _check_hotwords(value: object) -> str:
    if not isinstance(value, str):
        raise WireError(
            f"hotwords must be a string, not {_shown(value)}: send words separated by spaces, or a JSON "
            r'object inside a string, for example "hotwords": "{\"阿里巴巴\": 20}"'
        )
    return value


def _check_itn(value: object) -> bool:
    if not isinstance(value, bool):
        raise WireError(f"itn must be true or false, not {_shown(value)}")
    return value


_CHECKS = {
    "mode": _check_mode,
    "wav_name": _check_wav_name,
    "wav_format": _check_wav_format,
    "audio_fs": _check_audio_fs,
    "chunk_size": _check_chunk_size,
    "chunk_interval": _check_chunk_interval,
    "hotwords": _check_hotwords,
    "itn": _check_itn,
}


@dataclass(frozen=True)
class Result:
    """One message to the client.

    `text` is an increment in "2pass-online" and a whole sentence in "2pass-offline". `slice_type` is 0 at a
    sentence's start, 1 inside it and 2 at its end; `index` counts an utterance's sentences from 0; both
    times go with slice_type 2. `timestamp` is the time of connecting in ms since the epoch when the model
    gives no times for its tokens. None leaves a key out.
    """

    text: str
    wav_name: str
    mode: ResultMode | None = None
    is_final: bool = False
    slice_type: int | None = None
    index: int | None = None
    timestamp: int | str | None = None
    start_time_ms: int | None = None
    end_time_ms: int | None = None


def encode_result(result: Result) -> str:
    """The text frame for `result`, with FunASR's keys."""
    message: dict[str, Any] = {"text": result.text, "wav_name": result.wav_name, "is_final": result.is_final}
    message |= {"mode": result.mode, "slice_type": result.slice_type}
    message |= {"index": result.index, "timestamp": result.timestamp}
    message |= {"start_time": result.start_time_ms, "end_time": result.end_time_ms}
    message = {key: value for key, value in message.items() if value is not None}
    return json.dumps(message, ensure_ascii=False)


def encode_error(error: WireError, wav_name: str = UtteranceConfig.wav_name) -> str:
    """The text frame that tells a client of its mistake; the original has no such message."""
    message = {"error": error.message, "text": "", "wav_name": wav_name, "is_final": True}
    return json.dumps(message, ensure_ascii=False)


@dataclass(frozen=True)
class Partial:
    """Text recognised since the last partial result: an increment, not the sentence so far."""

    text: str


@dataclass(frozen=True)
class Sentence:
    """A whole sentence from the second pass; it replaces the partial results of that sentence."""

    text: str


@dataclass(frozen=True)
class Final:
    """The answer to the end of the utterance, with everything that was recognised in it."""

    transcript: str


@dataclass(frozen=True)
class ServerFault:
    """The server reported an error, or sent what is not a message of this protocol."""

    message: str


ClientEvent = Partial | Sentence | Final | ServerFault


class ClientDialogue:
    """The client's side: what to send, and what the server's messages mean.

    After a `Final` the same object serves the next utterance: `audio_frames`, then `closing`.
    """

    def __init__(self, config: UtteranceConfig) -> None:
        """Prepare a dialogue about audio as `config` describes it."""
        self.config = config
        self._ended = False
        self._transcript = ""

    def opening(self) -> str:
        """The text frame that opens the dialogue."""
        settings = asdict(self.config)
        settings["chunk_size"] = list(self.config.chunk_size)
        return json.dumps({**settings, "is_speaking": True}, ensure_ascii=False)

    @property
    def frame_duration_s(self) -> float:
        """How long the audio of one frame lasts, in seconds: 60 ms * chunk / chunk_interval."""
        return CHUNK_UNIT_MS / 1000 * self.config.chunk_size[1] / self.config.chunk_interval

    def audio_frames(self, pcm: bytes) -> Iterator[bytes]:
        """Cut PCM16 LE mono at `config.audio_fs` into frames as FunASR does; the last may be short."""
        stride_bytes = 2 * max(1, round(self.config.audio_fs * self.frame_duration_s))
        for start in range(0, len(pcm), stride_bytes):
            yield pcm[start : start + stride_bytes]

    def closing(self) -> str:
        """The text frame that ends the utterance; the next final message is its answer."""
        self._ended = True
        return json.dumps({"is_speaking": False})

    def receive(self, text: str) -> list[ClientEvent]:
        """Take one text frame from the server.

        FunASR's C++ offline server never sets is_final, so after the end a message in mode "offline" is the
        last one. Its Python server sets it on every sentence, so before the end it means nothing.
        """
        try:
            message = _parse_object(text)
        except WireError:
            return [ServerFault(f"the server sent what is not a JSON object: {_shown(text)}")]
        if message.get("error"):
            return [ServerFault(str(message["error"]))]
        words, mode = message.get("text", ""), message.get("mode")
        if not isinstance(words, str):
            return [ServerFault(f"the server sent a text that is not a string: {_shown(words)}")]
        events: list[ClientEvent] = []
        if words and mode in {"2pass-online", "online"}:
            events.append(Partial(words))
            if self.config.mode == "online":
                self._transcript += words
        elif words:
            events.append(Sentence(words))
            self._transcript = _joined(self._transcript, words)
        if self._ended and (message.get("is_final") is True or mode == "offline"):
            events.append(Final(self._transcript))
            self._ended, self._transcript = False, ""
        return events


def _joined(left: str, right: str) -> str:
    """Two sentences in a row: a space between words of alphabets, none beside Chinese characters."""
    between_words = left[-1:].isascii() and right[:1].isascii() and left[-1:].strip() and right[:1].strip()
    return f"{left} {right}" if between_words else left + right
