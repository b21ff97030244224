"""The estimator interface of benchmark-mi's tools (`bmi.IMutualInformationPointEstimator`)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bmi.interface import BaseModel, EstimateResult


class PointEstimator:
    """The methods of the protocol, based on `fit` and `mutual_information`.

    The protocol needs no base class: benchmark-mi, and with it jax, is imported only by methods that return its types.
    """

    def estimate(self, x, y) -> float:
        """Fit to arrays, as :meth:`fit` takes them, and return the mutual information in nats."""
        return float(self.fit(x, y).mutual_information())

    def estimate_with_info(self, x, y) -> EstimateResult:
        """Do the same; also return the seconds taken, and the standard error and the replicates' estimates in nats."""
        from bmi.interface import EstimateResult

        start = time.perf_counter()
        found = self.fit(x, y).mutual_information()
        info = {"std_error": found.std_error, "replicates": list(found.replicates)}
        seconds = time.perf_counter() - start
        return EstimateResult(mi_estimate=float(found), time_in_seconds=seconds, additional_information=info)

    def parameters(self) -> BaseModel:
        """Return the settings."""
        import pydantic
        from bmi.interface import BaseModel

        settings = self.get_params()
        model = pydantic.create_model("MINDEParams", __base__=BaseModel, **dict.fromkeys(settings, (object, ...)))
        return model(**settings)
