"""What each kind waits for, and that it then really keeps something; RSS is for the integration test."""

import gc
import logging
import os
import threading
import tracemalloc
from collections.abc import Iterator

import psutil
import pytest

from asr_server.decoder_pool import DecoderPool
from asr_server.inject import KINDS, Injection, LeakInjector, Resource
from asr_server.inject.python_objects import CACHE_ENTRIES
from asr_server.recogniser import ConnectionRecogniser
from asr_server.session import Session, sessions_alive
from asr_server.wire import Result

SENTENCE = Result("一", "a", "2pass-offline", slice_type=2, start_time_ms=500, end_time_ms=2500)
PARTIAL = Result("一", "a", "2pass-online", slice_type=0)
FINAL = Result("", "a", is_final=True)


@pytest.fixture
def session() -> Iterator[Session]:
    pool = DecoderPool(1)
    yield Session(pool.strand())
    pool.close()


@pytest.fixture
def collector_as_before() -> Iterator[None]:
    yield
    gc.enable()
    gc.collect()


def one_connection(
    leaks: LeakInjector, session: Session, *, cut: bool = False, compressed: bool = False
) -> None:
    """Two seconds of speech in 2.5 s of audio, in two pieces, with one partial result."""
    leaks.hotwords_sent("阿里巴巴 魔搭 达摩院")
    leaks.decoded(1.0, [PARTIAL])
    leaks.decoded(1.5, [])
    leaks.decoded(0.0, [SENTENCE, FINAL])
    leaks.connection_closed(session, cut=cut, compressed=compressed)


def test_every_kind_has_a_case_below() -> None:
    assert set(PER_CONNECTION) | {"abrupt", "compression", "timer", "hotword", "cache"} == set(KINDS)


PER_CONNECTION = {
    "session": 1.0, "state": 1.0, "audio": 2.5, "segment": 2.0, "inference": 2.0, "result": 3.0,
    "cycle": 1.0, "native": 1.0, "native-segment": 1.0, "shm": 1.0,
    "fd": 1.0, "socket": 1.0, "thread": 1.0, "file": 1.0,
}  # fmt: skip
"""How many times its size a kind keeps for `one_connection`."""


@pytest.mark.parametrize("kind", PER_CONNECTION)
@pytest.mark.usefixtures("collector_as_before")
def test_a_kind_keeps_its_size_for_each_of_its_events(kind: str, session: Session) -> None:
    leaks = LeakInjector([Injection(kind, 4096)])
    for _ in range(3):
        one_connection(leaks, session)
    (injected,) = leaks.read()
    assert (injected.kind, injected.kept_bytes) == (kind, round(3 * 4096 * PER_CONNECTION[kind]))


def test_only_connections_that_were_cut_or_compressed_count_as_such(session: Session) -> None:
    leaks = LeakInjector([Injection("abrupt", 10), Injection("compression", 1000)])
    one_connection(leaks, session)
    assert [each.kept_bytes for each in leaks.read()] == [0, 0]
    one_connection(leaks, session, cut=True)
    assert [each.kept_bytes for each in leaks.read()] == [10, 0]
    one_connection(leaks, session, compressed=True)
    assert [each.kept_bytes for each in leaks.read()] == [10, 1000]


def test_hotwords_cost_once_per_list() -> None:
    leaks = LeakInjector([Injection("hotword", 2048)])
    for text in ("阿里巴巴 魔搭", "阿里巴巴 魔搭", "达摩院"):
        leaks.hotwords_sent(text)
    assert leaks.read()[0].kept_bytes == 3 * 2048


def test_the_bounded_cache_ends(session: Session) -> None:
    leaks = LeakInjector([Injection("cache", 100)])
    for _ in range(CACHE_ENTRIES + 50):
        one_connection(leaks, session)
    assert leaks.read()[0].kept_bytes == 100 * CACHE_ENTRIES


def test_objects_of_python_are_really_kept(session: Session) -> None:
    kinds = ("session", "audio", "segment", "inference", "result")
    leaks = LeakInjector([Injection(kind, 40_000) for kind in kinds])
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(50):
        one_connection(leaks, session)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    promised = sum(each.kept_bytes for each in leaks.read())
    assert after - before == pytest.approx(promised, rel=0.01)


@pytest.mark.parametrize(("kind", "sockets"), [("fd", 0), ("socket", 5), ("file", 0)])
def test_descriptors_stay_open(kind: str, sockets: int, session: Session) -> None:
    process = psutil.Process()
    leaks = LeakInjector([Injection(kind, 4096)])
    gc.collect()  # what other tests left open must not be closed meanwhile
    fds_before = process.num_fds()
    waiting_before = len([each for each in process.net_connections() if each.status == "CLOSE_WAIT"])
    for _ in range(5):
        one_connection(leaks, session)
    assert process.num_fds() - fds_before == 5
    waiting = len([each for each in process.net_connections() if each.status == "CLOSE_WAIT"])
    assert waiting - waiting_before == sockets


def test_files_are_deleted_but_take_their_size(session: Session) -> None:
    leaks = LeakInjector([Injection("file", 50_000)])
    one_connection(leaks, session)
    links = [(fd, os.readlink(f"/proc/self/fd/{fd}")) for fd in os.listdir("/proc/self/fd") if _is_open(fd)]
    deleted = [fd for fd, link in links if "asr_server-injected-" in link and link.endswith("(deleted)")]
    assert any(os.fstat(int(fd)).st_size == 50_000 for fd in deleted)


def _is_open(fd: str) -> bool:
    return os.path.lexists(f"/proc/self/fd/{fd}")


def test_threads_stay(session: Session) -> None:
    before = threading.active_count()
    leaks = LeakInjector([Injection("thread", 4096)])
    for _ in range(3):
        one_connection(leaks, session)
    assert threading.active_count() - before == 3


@pytest.mark.usefixtures("collector_as_before")
def test_cycles_stay_until_somebody_collects_them(session: Session) -> None:
    gc.collect()
    leaks = LeakInjector([Injection("cycle", 4096)])
    for _ in range(3):
        one_connection(leaks, session)
    assert not gc.isenabled()
    assert gc.collect() >= 3


def test_a_kept_session_counts_as_alive_without_what_it_recognised_with() -> None:
    pool = DecoderPool(1)
    before, leaks = sessions_alive(), LeakInjector([Injection("state", 4096)])
    session = Session(pool.strand())
    session.recogniser = ConnectionRecogniser.__new__(ConnectionRecogniser)
    one_connection(leaks, session)
    done = threading.Event()
    session.strand.post(done.set)
    assert done.wait(30)
    assert session.recogniser is None
    del session
    assert sessions_alive() - before == 1
    pool.close()


def test_it_begins_after_so_many_closed_connections(session: Session) -> None:
    leaks = LeakInjector([Injection("session", 100, after=3), Injection("audio", 100, after=3)])
    for _ in range(5):
        one_connection(leaks, session)
    assert [each.kept_bytes for each in leaks.read()] == [2 * 100, 2 * 250]


def test_a_probability_is_kept_to_and_repeats(session: Session) -> None:
    def times() -> list[int]:
        leaks = LeakInjector([Injection("session", 1, 0.1), Injection("session", 1, 0.1)])
        course = []
        for _ in range(1000):
            one_connection(leaks, session)
            course.append(leaks.read()[0].times)
        return course

    course = times()
    assert course[-1] == pytest.approx(200, abs=40)  # five standard deviations are 67
    assert times() == course


def test_every_injection_is_logged_loudly(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        LeakInjector([Injection("session", 65536, 0.5, 10), Injection("fd", 1)]).start()
    assert len(caplog.records) == 2
    assert "LEAKING ON PURPOSE" in caplog.text
    assert "65536 bytes for every closed connection" in caplog.text
    assert "probability 0.5; after 10 closed connections" in caplog.text


def test_the_timer_needs_no_connection() -> None:
    leaks = LeakInjector([Injection("timer", 4096)])
    leaks.start()
    noticed = threading.Event()
    for _ in range(600):
        if leaks.read()[0].kept_bytes:
            break
        noticed.wait(0.05)
    assert leaks.read()[0].kept_bytes >= 2000


def test_when_the_system_has_no_more_the_server_goes_on(
    session: Session, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "open", refuse)
    leaks = LeakInjector([Injection("fd", 4096)])
    one_connection(leaks, session)
    one_connection(leaks, session)
    assert caplog.text.count("nothing more can be kept: [Errno 24] Too many open files") == 1
    assert leaks.read()[0].kept_bytes == 0


def test_what_gives_a_kind_away_is_stated() -> None:
    for kind, leak in KINDS.items():
        assert leak.resources, kind
        assert leak.is_counted() == (kind in {"fd", "socket", "thread", "file"})
    assert Resource.SESSIONS in KINDS["state"].resources


def test_without_an_injection_nothing_is_kept(session: Session) -> None:
    leaks = LeakInjector()
    tracemalloc.start()
    for _ in range(100):
        one_connection(leaks, session)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 1000
    assert leaks.read() == []
