"""Ask all questions, one after the other, and clear up whatever happens."""

from collections.abc import Collection
from typing import Any

from tests.live.probes.ground import UNANSWERED, Ground, clear
from tests.live.probes.questions import QUESTIONS
from tests.live.probes.report import report
from tests.live.setting import InterruptedRunError


def ask(ground: Ground, chosen: Collection[str] = ()) -> tuple[dict[str, Any], list[str]]:
    """The report, and what could not be removed. A probe that fails answers with its error, and the next goes on."""
    answers: dict[str, Any] = {}
    left: list[str] = []
    try:
        for question in QUESTIONS:
            if chosen and question.id not in chosen:
                continue
            ground.setting.tell(f"{question.id}: {question.asks}")
            try:
                answers[question.id] = question.probe(ground)
            except (*UNANSWERED, TimeoutError) as error:
                answers[question.id] = {"failed": f"{type(error).__name__}: {error}"}
    except InterruptedRunError:
        ground.setting.say("Interrupted: the other questions are not asked.")
    finally:
        ground.setting.say("Removing what the probes made.")
        left = clear(ground)
    return report(ground, answers, left), left
