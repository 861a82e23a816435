"""From points to what is believed of the growth that lasts; behind `posterior_of` all may be replaced."""

from soak.analyse.posterior.evidence import Evidence, detectable
from soak.analyse.posterior.posterior import Posterior, posterior_of

__all__ = ["Evidence", "Posterior", "detectable", "posterior_of"]
