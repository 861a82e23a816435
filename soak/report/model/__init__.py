"""What a report tells of a run, worked out once; renderers lay it out and compute nothing of their own."""

from soak.report.model.model import ReportModel, report_model

__all__ = ["ReportModel", "report_model"]
