"""The web service: what it says, what it escapes, and what it says when the store is away."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from dltest.errors import StoreError
from dltest.model import (
    Annulment,
    Blame,
    Campaign,
    Case,
    Driver,
    Finding,
    Judgement,
    JudgementChange,
    Payload,
    Run,
    RunPhase,
    StepCall,
    StepRecord,
    StepState,
    Trouble,
    Verdict,
)
from dltest.store import Store
from dltest.web.app import create_app

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
EVIL = '<script>alert("x")</script>'


class Broker:
    answers = True

    def __call__(self) -> None:
        if not self.answers:
            raise StoreError("the message broker does not answer")


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def client(store: Store, broker: Broker) -> Iterator[TestClient]:
    with TestClient(create_app(store, broker)) as opened:
        yield opened


@pytest.fixture
def add_run(store: Store) -> Callable[..., None]:
    """Writes an ended run down."""

    def add(run_id: str, verdict: Verdict, **targets: str) -> None:
        case = Case(
            scenario="replicate" if len(targets) > 1 else "upload",
            targets=targets,
            payload=Payload(files=1, size_bytes=1),
            steps=(StepCall(type="upload", body={}),),
            duration_limit=timedelta(minutes=1),
        )
        finding = Finding(
            code="storage-unreachable", title=EVIL, blame=Blame.site("XRD2"), verdict=verdict
        )
        trouble = Trouble(code="storage-unreachable", message=EVIL, blame=Blame.site("XRD2"))
        step = StepRecord(
            name="upload",
            state=StepState.REFUSED,
            began_at=NOW,
            ended_at=NOW + timedelta(seconds=1),
            measured={"bytes": 2048},
            evidence={"pfn": EVIL},
            troubles=(trouble,),
        )
        run = Run(
            id=run_id,
            campaign_id=f"c-{run_id}",
            lake="lab",
            case=case,
            records=(step,),
            planned_at=NOW,
        )
        campaign = Campaign(
            id=f"c-{run_id}", lake="lab", driver=Driver.SERVICE, title="", created_at=NOW
        )
        store.create_campaign(campaign, [run])
        good = verdict is Verdict.PASSED
        judgement = Judgement(verdict=verdict, findings=() if good else (finding,))
        with store.claim(run_id) as claim:
            assert claim is not None
            changes = {"phase": RunPhase.ENDED, "judgement": judgement, "finished_at": NOW}
            claim.save(claim.run.model_copy(update=changes))

    return add


def test_an_empty_store_says_how_to_begin(client: TestClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert "No run has ended yet" in page.text
    assert client.get("/index.json").json() == {"cases": []}


def test_the_matrix_links_each_cell_to_its_latest_run(client: TestClient, add_run) -> None:
    add_run("good", Verdict.PASSED, source="XRD1", destination="XRD2")
    add_run("bad", Verdict.FAILED, source="XRD2", destination="XRD1")
    add_run("one", Verdict.INCONCLUSIVE, at="XRD3")
    add_run("three", Verdict.DEGRADED, a="XRD1", b="XRD2", c="XRD3")
    page = client.get("/").text
    for run_id, verdict, letter in (
        ("good", "passed", "P"),
        ("bad", "failed", "F"),
        ("one", "inconclusive", "?"),
        ("three", "degraded", "D"),
    ):
        cell = page.partition(f'<td class="verdict {verdict}"><a href="/runs/{run_id}"')[2]
        assert f">{letter}</a></td>" in cell.partition("\n")[0]
    cases = client.get("/index.json").json()["cases"]
    assert {case["case"]: case["verdict"] for case in cases} == {
        "replicate[XRD1->XRD2]": "passed",
        "replicate[XRD2->XRD1]": "failed",
        "upload[XRD3]": "inconclusive",
        "replicate[XRD1->XRD2->XRD3]": "degraded",
    }


def test_a_status_that_differs_stands_beside_the_verdict(client: TestClient, add_run) -> None:
    add_run("good", Verdict.PASSED, at="XRD1")
    add_run("bad", Verdict.FAILED, at="XRD1")
    page = client.get("/").text
    assert '>F</a> <small class="status">P</small></td>' in page
    (case,) = client.get("/index.json").json()["cases"]
    assert (case["verdict"], case["status"]) == ("failed", "passed")


def test_second_thoughts_stand_on_the_runs_page(client: TestClient, store, add_run) -> None:
    add_run("bad", Verdict.FAILED, at="XRD1")
    run = store.run("bad")
    change = JudgementChange(
        run_id="bad",
        at=NOW,
        by="ops",
        why=EVIL,
        before=run.judgement,
        after=Judgement(verdict=Verdict.PASSED),
    )
    store.rejudge(change)
    store.annul("bad", Annulment(at=NOW, by="ops", why="a wrong test"))
    page = client.get("/runs/bad").text
    assert "Annulled by ops" in page
    assert "before, it was failed" in page
    assert EVIL not in page
    told = client.get("/runs/bad.json").json()
    assert told["annulled"]["why"] == "a wrong test"
    assert [(c["before"], c["after"]) for c in told["judged_again"]] == [("failed", "passed")]


def test_a_runs_page_tells_its_story_and_escapes_it(client: TestClient, add_run) -> None:
    add_run("abc123", Verdict.FAILED, at="XRD2")
    page = client.get("/runs/abc123").text
    assert "failed, site XRD2 must act: storage-unreachable" in page
    assert "2.05 kB" in page
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 4
    assert "<script" not in client.get("/").text


def test_a_run_is_found_by_the_beginning_of_its_id(client: TestClient, add_run) -> None:
    add_run("abc123", Verdict.PASSED, at="XRD2")
    assert client.get("/runs/abc.json").json()["run_id"] == "abc123"
    add_run("abc456", Verdict.PASSED, at="XRD2")
    assert client.get("/runs/abc").status_code == 404
    assert client.get("/runs/unknown").status_code == 404
    assert client.get("/runs/unknown.json").status_code == 404


@pytest.mark.parametrize("path", ["/", "/index.json", "/metrics", "/health", "/runs/x", "/nowhere"])
def test_every_answer_carries_the_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


def test_the_style_has_a_colour_for_each_verdict(client: TestClient) -> None:
    style = client.get("/style.css")
    assert style.headers["content-type"].startswith("text/css")
    for verdict in Verdict:
        assert f".{verdict.value} {{ background: {verdict.face.colour}; }}" in style.text


def test_metrics_are_served_as_prometheus_reads_them(client: TestClient, add_run) -> None:
    add_run("r1", Verdict.PASSED, at="XRD2")
    answer = client.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'rse="XRD2"' in answer.text


def test_ready_tells_each_component(client: TestClient, store: Store, broker: Broker) -> None:
    def told() -> tuple[int, dict[str, bool]]:
        answer = client.get("/ready")
        components = answer.json()["components"]
        return answer.status_code, {name: part["well"] for name, part in components.items()}

    assert told() == (503, {"store": True, "broker": True, "beat": False})
    store.mark_tick(datetime.now(UTC) - timedelta(minutes=5))
    assert "old" in client.get("/ready").json()["components"]["beat"]["detail"]
    store.mark_tick()
    assert told() == (200, {"store": True, "broker": True, "beat": True})
    broker.answers = False
    assert told() == (503, {"store": True, "broker": False, "beat": True})


def test_a_store_that_is_away_is_said_on_every_page() -> None:
    with (
        Store.open("postgresql://u:h0le-secret@127.0.0.1:1/x") as away,
        TestClient(create_app(away, lambda: None)) as client,
    ):
        answers = {path: client.get(path) for path in ("/", "/index.json", "/runs/x")}
        assert {answer.status_code for answer in answers.values()} == {503}
        assert "out of reach" in answers["/"].text
        assert "cannot read the cases" in answers["/index.json"].json()["error"]
        assert not any("h0le-secret" in answer.text for answer in answers.values())
        assert client.get("/health").status_code == 200
        assert client.get("/metrics").status_code == 200
        assert client.get("/ready").json()["components"]["store"]["well"] is False
