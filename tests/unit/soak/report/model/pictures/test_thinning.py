from __future__ import annotations

import numpy as np

from soak.report.model.pictures.thinning import MAX_POINTS, thin


def test_a_short_series_is_drawn_as_it_is() -> None:
    t_s, values = np.arange(10.0), np.arange(10.0) ** 2
    assert np.array_equal(thin(t_s, values), (t_s, values))


def test_a_day_of_samples_keeps_its_single_peak_and_trough() -> None:
    values = np.full(86_400, 100.0)
    values[43_217], values[61_003] = 900.0, 1.0
    t_s, drawn = thin(np.arange(86_400.0), values)
    assert len(drawn) <= MAX_POINTS + 2
    assert t_s[drawn == 900.0].tolist() == [43_217.0]
    assert t_s[drawn == 1.0].tolist() == [61_003.0]
    assert (t_s[0], t_s[-1]) == (0.0, 86_399.0)


def test_a_long_gap_stays_a_gap() -> None:
    values = np.ones(50_000)
    values[20_000:30_000] = np.nan
    t_s, drawn = thin(np.arange(50_000.0), values)
    inside = (t_s > 20_100) & (t_s < 29_900)
    assert inside.any()
    assert np.isnan(drawn[inside]).all()
