"""The facts about the machine that go into the manifest."""

from soak.record.host import allocator_environment, host_facts, package_versions


def test_only_variables_that_steer_memory_are_recorded() -> None:
    environment = {
        "MALLOC_ARENA_MAX": "2",
        "LD_PRELOAD": "libjemalloc.so",
        "API_TOKEN": "secret",
        "HOME": "/x",
    }
    assert allocator_environment(environment) == {"MALLOC_ARENA_MAX": "2", "LD_PRELOAD": "libjemalloc.so"}


def test_this_host_is_described() -> None:
    facts = host_facts()
    assert facts.cores is not None
    assert facts.cores >= 1
    assert facts.memory_bytes is not None
    assert facts.memory_bytes > 2**28
    assert facts.kernel
    assert "onnxruntime" in package_versions()
