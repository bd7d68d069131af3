"""The pages: the latest matrix, and one run."""

from typing import Any

from fastapi import APIRouter, HTTPException, Response
from fastapi.responses import HTMLResponse, JSONResponse

from dltest.model import Run, Verdict
from dltest.report.as_json import run_object
from dltest.report.events import sentence, step_line
from dltest.store import CaseState, Store
from dltest.web.matrix import matrices
from dltest.web.templates import render, stylesheet

RECENT_RUNS = 50


def router(store: Store) -> APIRouter:
    routes = APIRouter()

    @routes.get("/", response_class=HTMLResponse)
    def matrix_page() -> str:
        """The latest verdict of every case, as matrices, and the latest runs."""
        return render(
            "matrix.html",
            title="Is the lake well?",
            lakes=matrices(store.cases()),
            verdicts=list(Verdict),
            runs=[_listed(run) for run in store.runs(RECENT_RUNS)],
        )

    @routes.get("/index.json")
    def matrix_json() -> dict[str, Any]:
        """The latest verdict of every case."""
        return {"cases": [_case_object(state) for state in store.cases()]}

    @routes.get("/runs/{run_id}.json")
    def run_json(run_id: str) -> JSONResponse:
        run = _found(store, run_id)
        return JSONResponse(run_object(run, store.judgement_changes(run.id)))

    @routes.get("/runs/{run_id}", response_class=HTMLResponse)
    def run_page(run_id: str) -> str:
        """One run: its verdict in a sentence, findings, steps and evidence."""
        run = _found(store, run_id)
        return render(
            "run.html",
            title=run.case.id,
            run=run,
            changes=store.judgement_changes(run.id),
            sentence=sentence(run),
            findings=run.judgement.findings if run.judgement else (),
            steps=[(step_line(record), record) for record in (*run.records, run.cleanup)],
        )

    @routes.get("/style.css", include_in_schema=False)
    def style() -> Response:
        return Response(stylesheet(), media_type="text/css")

    return routes


def _found(store: Store, run_id: str) -> Run:
    try:
        run = store.run(run_id)
    except ValueError as error:
        raise HTTPException(404, str(error)) from None
    if run is None:
        raise HTTPException(404, "there is no such run; old runs are forgotten after some time")
    return run


def _listed(run: Run) -> dict[str, Any]:
    return {"run": run, "sentence": sentence(run)}


def _case_object(state: CaseState) -> dict[str, Any]:
    return {
        "lake": state.lake,
        "scenario": state.scenario,
        "case": state.case_id,
        "source": state.place.source or None,
        "destination": state.place.destination or None,
        "rse": state.place.rse or None,
        "verdict": state.verdict.value,
        "blame": state.blame or None,
        "status": state.status.value if state.status else None,
        "status_since": state.status_since.isoformat() if state.status_since else None,
        "run_id": state.run_id,
        "last_finished_at": state.last_finished_at.isoformat(),
        "last_passed_at": state.last_passed_at.isoformat() if state.last_passed_at else None,
    }
