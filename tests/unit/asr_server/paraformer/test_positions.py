import numpy as np

from asr_server.paraformer.positions import position_encoding


def test_a_late_stretch_equals_the_same_stretch_of_a_long_table() -> None:
    table = position_encoding(1, 9_000, 560)
    np.testing.assert_array_equal(position_encoding(8_001, 10, 560), table[8_000:8_010])


def test_sines_come_first_and_positions_count_from_one() -> None:
    encoding = position_encoding(1, 2, 560)
    np.testing.assert_allclose(encoding[:, 0], np.sin([1.0, 2.0]), atol=1e-6)
    np.testing.assert_allclose(encoding[:, 280], np.cos([1.0, 2.0]), atol=1e-6)
    assert encoding.dtype == np.float32
