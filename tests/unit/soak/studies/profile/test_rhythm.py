from __future__ import annotations

from soak.config import load_config
from soak.studies.profile.rhythm import BUNDLED, OTHERS, WINDOWS, profiled_load, rhythm_for
from soak.targets import Bundled, Command


def test_a_run_is_cut_into_enough_blocks_however_fast_it_is() -> None:
    for rate in ("2", "24"):
        load = load_config("minimal", (f"load.rate_per_s={rate}", "load.block_s=30")).load
        profiled = profiled_load(load, 60)
        assert profiled.block_s is not None
        assert profiled.rate_per_s is not None
        assert 60 / (profiled.block_s * profiled.rate_per_s) >= WINDOWS - 1e-9
        assert profiled.connections == 60


def test_a_block_holds_a_connection_and_shorter_ones_are_let_be() -> None:
    load = load_config("minimal", ("load.rate_per_s=4", "load.block_s=0.5")).load
    assert profiled_load(load, 1000).block_s == 0.5
    assert profiled_load(load, 5).block_s == 0.25


def test_a_length_in_time_gives_way_to_connections() -> None:
    load = load_config("minimal", ("load.duration_s=86400", "load.until_decided=true")).load
    profiled = profiled_load(load, 150)
    assert (profiled.duration_s, profiled.until_decided, profiled.connections) == (None, False, 150)


def test_a_file_of_the_users_is_let_be() -> None:
    assert rhythm_for("minimal", Bundled()) == BUNDLED
    assert rhythm_for("attached", Command(("x",))) == OTHERS
    assert rhythm_for("mine.toml", Bundled()) == ()
