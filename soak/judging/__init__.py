"""From a recorded run to its verdict and exit code, whether it has just ended or is read again later."""

from soak.judging.judgement import Judgement, worst
from soak.judging.recorded import recorded_settings, series_of
from soak.judging.run import judge_run

__all__ = ["Judgement", "judge_run", "recorded_settings", "series_of", "worst"]
