"""From points to what is believed of the growth that lasts; behind `posterior_of` all may be replaced."""

from soak.analyse.posterior.growth import Growth
from soak.analyse.posterior.posterior import posterior_of, smallest_seen

__all__ = ["Growth", "posterior_of", "smallest_seen"]
