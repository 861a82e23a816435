from typing import Any

import pytest

from soak.dialects import DIALECTS
from soak.load.arrivals import ARRIVALS
from soak.load.scenarios import SCENARIOS
from soak.plugins import PluginError, Registry


@pytest.mark.parametrize("registry", [DIALECTS, ARRIVALS, SCENARIOS])
def test_every_built_in_part_is_there_under_its_name_and_survives_json(registry: Registry[Any]) -> None:
    for name in registry.names():
        part = registry.make(name, {})
        assert part.name == name
        assert registry.make(name, part.options()) == part


@pytest.mark.parametrize("name", ["Funasr", "", 3, None, ["funasr"]])
def test_a_name_that_nobody_knows_is_refused_with_those_that_are_known(name: object) -> None:
    with pytest.raises(PluginError, match="choose one of funasr, sherpa-onnx"):
        DIALECTS.find(name)


def test_an_option_that_does_not_exist_is_refused_in_one_line() -> None:
    with pytest.raises(PluginError, match="the dialect refuses its options") as caught:
        DIALECTS.make("sherpa-onnx", {"mode": "2pass"})
    assert "\n" not in str(caught.value)
