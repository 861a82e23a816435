import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from asr_server import metrics, process_memory
from asr_server.counters import Counters
from asr_server.decoder_pool import DecoderPool
from asr_server.inject import Injection, LeakInjector
from asr_server.wire import Result


def read(counters: Counters, leaks: LeakInjector | None = None) -> dict[str, float]:
    pool = DecoderPool(1)
    registry = CollectorRegistry()
    registry.register(metrics.ServerCollector(counters, pool, leaks or LeakInjector()))
    text = generate_latest(registry).decode()
    pool.close()
    return {
        ",".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_what_was_counted_is_shown() -> None:
    counters = Counters()
    for _ in range(3):
        counters.connection_opened()
    counters.connection_closed()
    sentence = Result("一", "a", "2pass-offline")
    counters.decoded(1.5, 0.25, [Result("一", "a", "2pass-online"), sentence, Result("", "a", is_final=True)])
    counters.error("client_mistake")
    samples = read(counters)
    assert samples["asr_connections_open"] == 2
    assert samples["asr_connections_total"] == 3
    assert samples["asr_audio_seconds_total"] == 1.5
    assert samples["asr_decode_seconds_total"] == 0.25
    assert [samples[f"asr_results_total,{mode}"] for mode in ("2pass-online", "2pass-offline", "none")] == [
        1
    ] * 3
    assert samples["asr_errors_total,client_mistake"] == 1
    assert samples["asr_errors_total,decoding_failed"] == 0


def test_labels_are_there_from_the_start_and_never_more() -> None:
    counters = Counters()
    before = set(read(counters))
    counters.decoded(1.0, 1.0, [Result("一", "a", "2pass-online", is_final=True)])
    counters.error("oversized_message")
    assert set(read(counters)) == before


def test_what_is_leaked_on_purpose_is_told_by_kind() -> None:
    leaks = LeakInjector([Injection("audio", 1000), Injection("audio", 500), Injection("result", 10)])
    leaks.decoded(2.0, [Result("一", "a", "2pass-online")])
    samples = read(Counters(), leaks)
    assert samples["asr_injected_bytes,audio"] == 3000
    assert samples["asr_injected_total,audio"] == 2
    assert samples["asr_injected_bytes,result"] == 10
    assert not any(name.startswith("asr_injected") for name in read(Counters()))


def test_what_the_system_cannot_tell_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_memory, "_mallinfo2", None)
    samples = read(Counters())
    assert "asr_heap_in_use_bytes" not in samples
    assert "asr_resident_memory_bytes" in samples
