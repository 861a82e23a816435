"""No form of a secret that people give to soak is in what it writes."""

from __future__ import annotations

import json

import pytest

from soak.redaction import HIDDEN, Redaction, looks_secret, redacted, redacted_text

SECRET = "s3cr3t-Pa55"  # noqa: S105 - of nobody
COMMAND_LINES = [
    ["soak", "run", "--url", f"wss://user:{SECRET}@asr.example:10095/", "--pid", "4711"],
    ["soak", "run", "--url", f"wss://asr.example/ws?token={SECRET}&lang=zh"],
    ["soak", "run", "--command", f"my-server --api-key={SECRET} --port {{port}}"],
    ["soak", "run", "--command", f"my-server --api-key {SECRET} --port {{port}}"],
    ["soak", "run", "--command", f"env ASR_PASSWORD='{SECRET}' my-server"],
    ["soak", "run", "--set", f'server.environment={{HF_TOKEN="{SECRET}", MALLOC_ARENA_MAX="2"}}'],
    ["soak", "run", "--set", f'server.environment={{ANYTHING="{SECRET}"}}'],
    ["soak", "run", "--set", f"server.environment.ANYTHING={SECRET}"],
    ["my-server", "--api-key", SECRET, "--port", "10095"],
    ["my-server", "--db-password", SECRET],
    ["my-server", f"-Dapp.secret={SECRET}"],
    ["my-server", "--header", f"Authorization: Bearer {SECRET}"],
    ["my-server", "--header", f"X-Api-Key: {SECRET}"],
    ["my-server", "--json", json.dumps({"client_secret": SECRET})],
    ["my-server", "--database", f"postgresql://asr:{SECRET}@db/asr"],
]
"""Words of command lines, as they stand in a manifest."""


@pytest.mark.parametrize("words", COMMAND_LINES, ids=lambda words: " ".join(words)[:60])
def test_a_command_line_is_told_without_its_secret(words: list[str]) -> None:
    told = redacted(words)
    assert SECRET not in json.dumps(told)
    assert HIDDEN in json.dumps(told)
    assert told[0] == words[0]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"HF_TOKEN": SECRET, "MALLOC_ARENA_MAX": "2"}, {"HF_TOKEN": HIDDEN, "MALLOC_ARENA_MAX": "2"}),
        ({"MODEL": "large", "LD_PRELOAD": "/lib/x.so"}, {"MODEL": HIDDEN, "LD_PRELOAD": "/lib/x.so"}),
    ],
)
def test_of_an_environment_only_what_steers_the_allocator_is_told(
    value: dict[str, str], told: dict[str, str]
) -> None:
    assert redacted({"environment": value}) == {"environment": told}


@pytest.mark.parametrize(
    "value",
    [
        {"second_pass": "offline", "decoder_thread_num": 1},
        {"rss_bytes": 1.5, "max_tokens": 12, "hotword": "阿里巴巴"},
        ["soak", "run", "--config", "minimal", "--minutes", "5", "--set", "load.rate_per_s=2"],
        "ws://127.0.0.1:10095",
        "http://127.0.0.1:10095/metrics gave no answer within 2 s",
        "OSError: [Errno 111] Connect call failed ('127.0.0.1', 10095)",
        "the author's key figures: RSS 512 MiB, heap in use: flat",
    ],
)
def test_what_holds_no_secret_stays_as_it_is(value: object) -> None:
    assert redacted(value) == value


def test_a_secret_that_was_named_is_hidden_where_it_comes_back() -> None:
    record = Redaction()
    record.of({"url": f"wss://user:{SECRET}@asr.example"})
    assert record.text(f"401 for {SECRET}: go away") == f"401 for {HIDDEN}: go away"


def test_a_short_secret_takes_no_other_words_with_it() -> None:
    record = Redaction()
    record.of({"password": "run"})
    assert record.text("the run ended") == "the run ended"


@pytest.mark.parametrize(
    "token", ["ghp_" + "a" * 36, "sk-" + "b" * 40, "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"]
)
def test_tokens_are_known_by_their_shape(token: str) -> None:
    assert redacted_text(f"started with {token}") == f"started with {HIDDEN}"


@pytest.mark.parametrize("name", ["--api-key", "API_KEY", "dbPassword", "x-auth-token", "HF_TOKEN", "AUTH"])
def test_names_that_hold_secrets(name: str) -> None:
    assert looks_secret(name)


@pytest.mark.parametrize(
    "name", ["keyboard", "--keyfile", "author", "second_pass", "tokens", "pinned", "opinion"]
)
def test_names_that_hold_none(name: str) -> None:
    assert not looks_secret(name)
