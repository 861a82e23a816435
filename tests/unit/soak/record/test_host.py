"""The facts about the machine that go into the manifest."""

from pathlib import Path

import pytest

from soak.record.host import allocator_environment, cgroup_limit_bytes, host_facts, package_versions


@pytest.mark.parametrize(
    ("name", "text", "limit"),
    [
        ("memory.max", "max\n", None),
        ("memory.max", "1073741824\n", 1073741824),
        ("memory/memory.limit_in_bytes", "9223372036854771712\n", None),
        ("memory/memory.limit_in_bytes", "536870912\n", 536870912),
    ],
)
def test_the_memory_limit_is_read_from_either_cgroup_version(
    tmp_path: Path, name: str, text: str, limit: int | None
) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text)
    assert cgroup_limit_bytes(tmp_path) == limit


def test_without_a_cgroup_there_is_no_limit(tmp_path: Path) -> None:
    assert cgroup_limit_bytes(tmp_path) is None


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
    assert facts["cores"] >= 1
    assert facts["memory_bytes"] > 2**28
    assert facts["kernel"]
    assert "onnxruntime" in package_versions()
