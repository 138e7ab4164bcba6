"""Asynchronous jobs in XML (UWS 1.1), by the models of `vo_models`."""

from datetime import UTC, datetime
from typing import Any, Optional

from pydantic_xml import BaseXmlModel, element
from vo_models.uws.models import (
    NSMAP,
    ErrorSummary,
    Jobs,
    JobSummary,
    Parameter,
    ResultReference,
    Results,
    ShortJobDescription,
)
from vo_models.uws.types import ErrorType, ExecutionPhase

from zoolens.catalog.serve.tap.jobs import COMPLETED, ERROR, Job


class _Parameters(BaseXmlModel, tag="parameters", ns="uws", nsmap=NSMAP):
    """Parameters of any name."""

    parameter: Optional[list[Parameter]] = element(tag="parameter", default_factory=list)  # noqa: UP045


class _Described(JobSummary[_Parameters], tag="job"):
    """A job with parameters of any name."""


def described(job: Job, address: str) -> bytes:
    """All of a job; address: its own."""
    made: dict[str, Any] = {
        "job_id": job.number,
        "run_id": job.parameters.get("RUNID"),
        "phase": ExecutionPhase(job.phase),
        "creation_time": _moment(job.created),
        "start_time": _moment(job.started),
        "end_time": _moment(job.ended),
        "execution_duration": round(job.seconds),
        "destruction": _moment(job.destruction),
        "parameters": _parameters(job),
        "results": _results(job, address),
    }
    if job.phase == ERROR:
        made["error_summary"] = ErrorSummary(
            message=job.error or "", type=ErrorType.FATAL, has_detail=True
        )
    return _xml(_Described(**made))


def listed(jobs: list[Job], address: str) -> bytes:
    """The list of jobs; address: that of all of them."""
    short = [
        ShortJobDescription(
            job_id=job.number,
            phase=ExecutionPhase(job.phase),
            run_id=job.parameters.get("RUNID"),
            creation_time=_moment(job.created),
            href=f"{address}/{job.number}",
        )
        for job in jobs
    ]
    return _xml(Jobs(jobref=short))


def parameters(job: Job) -> bytes:
    """The parameters of a job."""
    return _xml(_parameters(job))


def results(job: Job, address: str) -> bytes:
    """Where the results of a job are."""
    return _xml(_results(job, address))


def _parameters(job: Job) -> _Parameters:
    return _Parameters(
        parameter=[Parameter(id=name, value=value) for name, value in job.parameters.items()]
    )


def _results(job: Job, address: str) -> Results:
    if job.phase != COMPLETED:
        return Results(results=[])
    where = f"{address}/results/result"
    found = ResultReference(id="result", href=where, size=job.size, mime_type=job.mime)
    return Results(results=[found])


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


def _xml(model: Any) -> bytes:
    written: bytes = model.to_xml(encoding="UTF-8", xml_declaration=True)
    return written
