"""The attempt service under a class that answers all at once, and under requests of all kinds."""

from __future__ import annotations

import asyncio
import itertools
import random
import statistics
import uuid
from collections import Counter
from contextlib import ExitStack

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from tests.attempt_service import Running, postgres, service, small_course

STUDENTS, QUESTIONS = 200, 5
LONGEST = 0.5  # seconds in which 99 of 100 requests are answered


async def answer_all(running: Running, student: str, versions, times: list[float]) -> None:
    """A student answers each question, with 1 to 3 s to think; each request is sent twice."""
    thinking = random.Random(student)
    headers = {"Authorization": f"Bearer {running.token(student)}"}
    async with httpx.AsyncClient(
        base_url=running.url, headers=headers, timeout=60, verify=False
    ) as client:

        async def send(path: str, body: dict[str, object]) -> httpx.Response:
            start = asyncio.get_running_loop().time()
            reply = await client.post(path, json=body)
            times.append(asyncio.get_running_loop().time() - start)
            return reply

        for question, version in versions.items():
            await asyncio.sleep(thinking.uniform(1, 3))
            path = f"/api/v1/assignments/small/questions/{question}/attempts"
            body = {"version": version, "answer": 1, "client": str(uuid.uuid4())}
            replies = await asyncio.gather(send(path, body), send(path, body))
            assert sorted(reply.status_code for reply in replies) == [200, 201]


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_a_class_answers_at_once_and_each_has_one_first_attempt(tmp_path, database):
    students = [f"student{number:03}" for number in range(STUDENTS)]
    with ExitStack() as stack:
        url = stack.enter_context(postgres()) if database == "postgres" else None
        config = f"c.AttemptService.db_url = {url!r}" if url else ""
        root = small_course(tmp_path / "course", QUESTIONS, config)
        running = stack.enter_context(service(root, students, ["prof"]))
        versions, times = running.versions("small"), []

        async def everybody() -> None:
            await asyncio.gather(
                *(answer_all(running, student, versions, times) for student in students)
            )

        asyncio.run(everybody())
        listing = "/api/v1/assignments/small/attempts"
        kept = running.ask("GET", listing, running.token("prof")).json()
    count = Counter((entry["student"], entry["question"], entry["number"]) for entry in kept)
    assert count == Counter((student, question, 1) for student in students for question in versions)
    slowest = statistics.quantiles(times, n=100)[98]
    print(f"{database}: {len(times)} requests, 99 of 100 within {1000 * slowest:.0f} ms")
    assert slowest < LONGEST


def known_names(case: schemathesis.Case) -> None:
    """Put real names into two of three requests: else all of them ask for what isn't there."""
    names = {"assignment": "small", "question": "q0"}
    for name in names.keys() & (case.path_parameters or {}).keys():
        if random.random() < 2 / 3:
            case.path_parameters[name] = names[name]


def statuses_of(strategy, headers: dict[str, str]) -> Counter[int]:
    """Send requests of a strategy; no reply may say that the service failed."""
    statuses: Counter[int] = Counter()

    @given(strategy)
    @settings(
        max_examples=40,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def does_not_fail(case: schemathesis.Case) -> None:
        known_names(case)
        reply = case.call(headers=headers)
        statuses[reply.status_code] += 1
        assert reply.status_code < 500, reply.text

    does_not_fail()
    return statuses


@pytest.mark.slow
def test_no_request_makes_the_service_fail(tmp_path):
    config = "c.AttemptService.requests_a_minute = 1000000"
    root = small_course(tmp_path / "course", 2, config)
    statuses: Counter[int] = Counter()
    with service(root, ["ada"], ["prof"]) as running:
        schema = schemathesis.openapi.from_url(f"{running.url}/openapi.json")
        operations = [result.ok() for result in schema.get_all_operations()]
        assert len(operations) == 7
        for operation, person, mode in itertools.product(
            operations, ("ada", "prof"), (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        ):
            if mode is GenerationMode.NEGATIVE and not len(operation.body):
                continue
            headers = {"Authorization": f"Bearer {running.token(person)}"}
            statuses += statuses_of(operation.as_strategy(generation_mode=mode), headers)
    assert {200, 404, 422} <= statuses.keys()
