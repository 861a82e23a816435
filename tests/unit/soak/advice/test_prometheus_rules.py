"""Alert rules: what promtool makes of them, and that a leak fires where a plateau does not."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from soak.advice.advise import advise
from soak.advice.prometheus_rules import prometheus_rules
from soak.analyse import Series, judge_series
from soak.verdict.combine import combine
from soak.verdict.run_verdict import RunEvidence, RunVerdict

MIB = 2**20
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (Debian: apt-get install prometheus)"
)


def judged(series: Series) -> RunVerdict:
    memory = judge_series(series)
    return combine(RunEvidence(memory), advise(memory))


@pytest.fixture(scope="module")
def verdict() -> RunVerdict:
    """A day at 1 GiB, sampled every minute."""
    t_s = np.arange(0, 86_400, 60, dtype=np.float64)
    noise = np.random.default_rng(0).normal(0, 0.2 * MIB, len(t_s))
    return judged(Series(t_s=t_s, values=1024 * MIB + noise))


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)  # noqa: S607


def test_the_rules_cover_both_ways_of_measuring(verdict: RunVerdict) -> None:
    groups = yaml.safe_load(prometheus_rules(verdict))["groups"]
    names = [rule["alert"] for group in groups for rule in group["rules"]]
    assert "AsrMemoryClimbing" in names
    assert "AsrContainerMemoryNearLimit" in names
    assert "AsrContainerOomKilled" in names
    near = next(rule for rule in groups[0]["rules"] if rule["alert"] == "AsrMemoryNearLimit")
    assert str(verdict.advice["memory_limit_bytes"][-1]) in near["expr"]


def test_without_memory_there_is_nothing_to_warn_of() -> None:
    nothing = judged(Series(t_s=np.array([]), values=np.array([])))
    with pytest.raises(ValueError, match="no memory readings"):
        prometheus_rules(nothing)


@needs_promtool
def test_promtool_accepts_them(verdict: RunVerdict, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text(prometheus_rules(verdict))
    checked = promtool("check", "rules", str(rules))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "9 rules found" in checked.stdout


@needs_promtool
@pytest.mark.parametrize(("mib_per_hour", "fires"), [(20, True), (0, False)])
def test_a_leak_fires_and_a_plateau_does_not(
    verdict: RunVerdict, tmp_path: Path, mib_per_hour: int, *, fires: bool
) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text(prometheus_rules(verdict))
    per_minute = mib_per_hour * MIB // 60
    window_h = int(rules.read_text().partition("asr_resident_memory_bytes[")[2].partition("h]")[0])
    minutes = 60 * (2 * window_h + 2)
    alert: dict[str, Any] = {
        "eval_time": f"{minutes}m",
        "alertname": "AsrMemoryClimbing",
        "exp_alerts": [{"exp_labels": {"severity": "warning"}}] if fires else [],
    }
    if fires:
        annotations = next(
            rule["annotations"]
            for rule in yaml.safe_load(rules.read_text())["groups"][0]["rules"]
            if rule["alert"] == "AsrMemoryClimbing"
        )
        description = annotations["description"].replace("{{ $value | humanize1024 }}", "20Mi")
        alert["exp_alerts"][0]["exp_annotations"] = {**annotations, "description": description}
    test = {
        "rule_files": [str(rules)],
        "evaluation_interval": "5m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {
                        "series": "asr_resident_memory_bytes",
                        "values": f"{600 * MIB}+{per_minute}x{minutes + 10}",
                    }
                ],
                "alert_rule_test": [alert],
            }
        ],
    }
    (tmp_path / "test.yml").write_text(yaml.safe_dump(test))
    tested = promtool("test", "rules", str(tmp_path / "test.yml"))
    assert tested.returncode == 0, tested.stdout + tested.stderr
