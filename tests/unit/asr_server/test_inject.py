import tracemalloc

import pytest

from asr_server.inject import Injection, LeakInjector, parse_injection


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("session:64KiB", 65536), ("session:1B", 1), ("session:2KB", 2000),
        ("session:1.5MB", 1_500_000), ("session:1MiB", 1048576),
    ],
)  # fmt: skip
def test_sizes_are_read_with_their_units(text: str, size_bytes: int) -> None:
    assert parse_injection(text) == Injection("session", size_bytes)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("session", "no size"),
        ("cache:64KiB", "unknown kind 'cache'"),
        ("session:", "no valid size"),
        ("session:64", "no valid size"),
        ("session:0KiB", "no valid size"),
        ("session:-1KiB", "no valid size"),
        ("session:64kib", "no valid size"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        parse_injection(text)
    assert "\n" not in str(caught.value)


def test_each_closed_connection_costs_what_was_asked_for() -> None:
    injector = LeakInjector((Injection("session", 40_000), Injection("session", 10_000)))
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(100):
        injector.connection_closed()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before == pytest.approx(5_000_000, rel=0.01)


def test_without_an_injection_nothing_is_kept() -> None:
    injector = LeakInjector(())
    tracemalloc.start()
    for _ in range(100):
        injector.connection_closed()
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 1000
