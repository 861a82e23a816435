"""Who may see the /debug pages: programs and people on the machine, not the scripts of other sites."""

import pytest
from websockets.datastructures import Headers

from asr_server.same_site import why_foreign

OWN = {"Host": "127.0.0.1:10095"}


@pytest.mark.parametrize(
    "headers",
    [
        OWN,
        {"Host": "localhost:10095"},
        {"Host": "[::1]:10095"},
        {"Host": "10.1.2.3"},
        {**OWN, "Origin": "http://127.0.0.1:10095"},
        {**OWN, "Sec-Fetch-Site": "none"},
        {**OWN, "Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:10095"},
    ],
)
def test_who_asks_by_address_is_answered(headers: dict[str, str]) -> None:
    assert why_foreign(Headers(headers)) is None


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({}, "not nothing"),
        ({"Host": ""}, "not ''"),
        ({"Host": "rebound.example:10095"}, "rebound.example"),
        ({"Host": "127.0.0.1.rebound.example"}, "Host must be"),
        ({"Host": "[::1"}, "Host must be"),
        ({"Host": "localhost@rebound.example"}, "Host must be"),
        ({**OWN, "Origin": "http://elsewhere.example"}, "elsewhere.example"),
        ({**OWN, "Origin": "null"}, "another origin"),
        ({**OWN, "Origin": "http://127.0.0.1:8080"}, "another origin"),
        ({**OWN, "Sec-Fetch-Site": "cross-site"}, "another site"),
        ({**OWN, "Sec-Fetch-Site": "same-site"}, "another site"),
    ],
)
def test_other_sites_are_refused_with_the_reason(headers: dict[str, str], words: str) -> None:
    refusal = why_foreign(Headers(headers))
    assert refusal is not None
    assert words in refusal


@pytest.mark.parametrize("name", ["Host", "Origin", "Sec-Fetch-Site"])
def test_a_header_that_is_sent_twice_is_refused(name: str) -> None:
    headers = Headers(OWN)
    headers[name] = "127.0.0.1"
    headers[name] = "elsewhere.example"
    assert f"{name} was sent twice" in str(why_foreign(headers))
