"""What a cgroup is charged with and may take, in both versions, as far as a container lets it be seen."""

from pathlib import Path

import pytest

from soak.sources.cgroup import MemoryCgroup, cgroup_of

V1_STAT = (
    "cache 4096\nrss 8192\ntotal_cache 16384\ntotal_rss 65536\ntotal_inactive_file 12288\ntotal_swap 0\n"
)
V2_STAT = "anon 65536\nfile 16384\nkernel 1024\ninactive_file 12288\n"


def put(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)


@pytest.fixture
def v1(tmp_path: Path) -> Path:
    root = tmp_path / "v1"
    put(
        root / "memory" / "jobs" / "one",
        {
            "memory.usage_in_bytes": "90112\n",
            "memory.max_usage_in_bytes": "100000\n",
            "memory.limit_in_bytes": "9223372036854771712\n",
            "memory.stat": V1_STAT,
            "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
        },
    )
    put(tmp_path / "proc" / "7", {"cgroup": "5:cpu,cpuacct:/other\n4:memory:/jobs/one\n0::/\n"})
    return root


@pytest.fixture
def v2(tmp_path: Path) -> Path:
    root = tmp_path / "v2"
    put(
        root / "jobs" / "one",
        {
            "memory.current": "90112\n",
            "memory.peak": "100000\n",
            "memory.max": "1073741824\n",
            "memory.swap.current": "0\n",
            "memory.stat": V2_STAT,
            "memory.events": "low 0\nhigh 0\nmax 12\noom 1\noom_kill 3\n",
        },
    )
    put(tmp_path / "proc" / "7", {"cgroup": "0::/jobs/one\n"})
    return root


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_both_versions_say_the_same(version: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    found = cgroup_of(7, proc=tmp_path / "proc", root=request.getfixturevalue(version))
    assert found is not None
    reading = found.read()
    assert reading is not None
    assert (reading.cgroup_current_bytes, reading.cgroup_anon_bytes) == (90112, 65536)
    assert (reading.cgroup_file_bytes, reading.cgroup_inactive_file_bytes) == (16384, 12288)
    assert (reading.cgroup_swap_bytes, reading.cgroup_oom_kills) == (0, 3)
    assert found.peak_bytes() == 100000


def test_no_limit_is_none_however_it_is_written(v1: Path, tmp_path: Path) -> None:
    assert MemoryCgroup(v1 / "memory" / "jobs" / "one").limit_bytes() is None
    put(tmp_path / "free", {"memory.current": "1\n", "memory.max": "max\n"})
    assert MemoryCgroup(tmp_path / "free").limit_bytes() is None


def test_the_limit_of_a_cgroup_further_up_holds_too(v2: Path) -> None:
    inner = v2 / "jobs" / "one"
    assert MemoryCgroup(inner).limit_bytes() == 1 << 30
    put(v2 / "jobs", {"memory.max": "536870912\n"})
    assert MemoryCgroup(inner).limit_bytes() == 512 * 2**20


def test_a_container_that_sees_only_its_own_root_is_read_there(tmp_path: Path) -> None:
    put(tmp_path / "proc" / "7", {"cgroup": "0::/../outside\n"})
    put(tmp_path / "root", {"memory.current": "4096\n", "memory.stat": V2_STAT, "memory.max": "8192\n"})
    found = cgroup_of(7, proc=tmp_path / "proc", root=tmp_path / "root")
    assert found is not None
    assert found.limit_bytes() == 8192


def test_without_cgroups_there_is_nothing(tmp_path: Path) -> None:
    assert cgroup_of(7, proc=tmp_path / "proc", root=tmp_path / "root") is None
