import pytest
from hypothesis import given
from hypothesis import strategies as st

from soak.dialects.funasr import Funasr
from soak.load.arrivals.closed_loop import ClosedLoop
from soak.load.plan import LoadPlan, PlanError
from soak.load.scenarios.dialogue import Dialogue

URL = "ws://127.0.0.1:10095"


def test_plan_survives_the_way_to_the_driver() -> None:
    plan = LoadPlan(
        URL,
        duration_s=60,
        rate_per_s=2.5,
        group=4,
        max_open=8,
        dialect=Funasr(chunk_size=(8, 8, 4), hotwords="阿里巴巴"),
    )
    line = plan.to_json_line()
    assert "\n" not in line
    assert LoadPlan.from_json_line(line) == plan


@given(rate=st.floats(1e-3, 1e3), connections=st.integers(1, 10**9), seed=st.integers())
def test_any_valid_plan_survives(rate: float, connections: int, seed: int) -> None:
    plan = LoadPlan(URL, connections=connections, rate_per_s=rate, seed=seed)
    assert LoadPlan.from_json_line(plan.to_json_line()) == plan


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"connections": 1}, "load.url is missing"),
        ({"url": "http://x", "connections": 1}, "load.url"),
        ({"url": URL}, "load has no end"),
        ({"url": URL, "connections": 0}, "load.connections"),
        ({"url": URL, "connections": 1.5}, "load.connections"),
        ({"url": URL, "connections": True}, "load.connections"),
        ({"url": URL, "connections": 1, "rate_per_s": -1}, "load.rate_per_s"),
        ({"url": URL, "connections": 1, "rate_per_s": "fast"}, "load.rate_per_s"),
        ({"url": URL, "connections": 1, "mode": "3pass"}, "load.mode"),
        ({"url": URL, "connections": 1, "chunk_size": [5, 10]}, "load.chunk_size"),
        ({"url": URL, "connections": 1, "chunk_size": "5,10,5"}, "load.chunk_size"),
        ({"url": URL, "connections": 1, "group": 4, "max_open": 2}, "load.group"),
        ({"url": URL, "connections": 1, "verify_tls": "no"}, "load.verify_tls"),
        ({"url": URL, "connections": 1, "hotwords": {"a": 1}}, "load.hotwords"),
        ({"url": URL, "connections": 1, "settle_s": -1}, "load.settle_s"),
        ({"url": URL, "connections": 1, "closing": "rude"}, "load.closing"),
        ({"url": URL, "connections": 1, "compression": "deflate"}, "load.compression"),
        ({"url": URL, "duration_s": 9}, "load.duration_s"),
        ({"url": URL, "connections": 1, "speed": 3}, "load.speed is not a setting"),
        (
            {"url": URL, "connections": 1, "arrival": "poisson"},
            "load.arrival is 'poisson': choose one of",
        ),
        ({"url": URL, "connections": 1, "pace": 2}, "load.pace is 2: choose one of realtime, unpaced"),
    ],
)
def test_what_cannot_be_carried_out_is_refused_in_one_line_that_names_it(
    values: dict[str, object], named: str
) -> None:
    with pytest.raises(PlanError) as caught:
        LoadPlan.from_json_object(values)
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("line", ["", "{", "[1]", "null"])
def test_a_line_that_is_no_plan_is_refused(line: str) -> None:
    with pytest.raises(PlanError, match="not"):
        LoadPlan.from_json_line(line)


def test_a_plan_recorded_before_there_was_a_choice_of_dialects_is_what_it_was() -> None:
    recorded = {"url": URL, "connections": 5, "arrival": "closed", "pace": "realtime", "closing": "abrupt"}
    recorded |= {"mode": "offline", "chunk_size": [8, 8, 4], "hotwords": "明"}
    plan = LoadPlan.from_json_object(recorded)
    assert plan.dialect == Funasr(mode="offline", chunk_size=(8, 8, 4), hotwords="明")
    assert plan.scenario == Dialogue(pace="realtime", closing="abrupt")
    assert plan.arrival == ClosedLoop()
    assert recorded.items() <= plan.to_json_object().items()


def test_another_dialect_has_other_settings() -> None:
    plan = LoadPlan.from_json_object({"url": URL, "connections": 1, "dialect": "sherpa-onnx"})
    assert "mode" not in plan.to_json_object()
    with pytest.raises(PlanError, match=r"load\.mode is not a setting"):
        LoadPlan.from_json_object({"url": URL, "connections": 1, "dialect": "sherpa-onnx", "mode": "2pass"})
