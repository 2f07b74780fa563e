"""Lecture 5 as a student meets it: opened in JupyterLab, run, and played with."""

from __future__ import annotations

import random
import re

import pytest
import torch
from playwright.sync_api import expect

from course_utils.interactives import BackpropagationGraph
from course_utils.interactives.backpropagation import GRAPHS
from tests.browser.helpers import (
    assert_questions_take_their_answers,
    assert_ran_cleanly,
    assert_readable,
    median_redraw,
)

pytestmark = pytest.mark.browser

LECTURE = "lectures/05_backpropagation.ipynb"
READY = ".bp svg .node"
# What each button chooses: a graph, and which of its inputs are other than usual.
PRESETS = {
    "one unit": ("one unit", {}),
    "saturated": ("one unit", {"x": 4.0, "w": 2.5}),
    "skip connection": ("skip connection", {}),
    "skip, saturated": ("skip connection", {"x": 4.0, "w": 2.5}),
    "max pool": ("max pool", {}),
    "tie": ("max pool", {"b": 5.0}),
}


@pytest.fixture
def graph(lecture):
    """The first graph of the lecture, at its first step."""
    found = lecture.page.locator(".bp").first
    found.scroll_into_view_if_needed()
    choose(found, "one unit")
    return found


def choose(graph, preset):
    name, changed = PRESETS[preset]
    graph.locator(f"[data-preset='{preset}']").click()
    expect(graph).to_have_attribute("aria-label", f"Backpropagation graph: {name}")
    for node, value in (GRAPHS[name].inputs | changed).items():
        expect(graph.locator(f"[data-input='{node}']")).to_have_text(text(value))
    expect(graph.locator(".bp-count")).to_have_text("step 0 of 11")


def press(graph, key, step):
    """Press a key on the picture, and wait until it shows that step."""
    graph.locator("svg").focus()
    graph.page.keyboard.press(key)
    expect(graph.locator(".bp-count")).to_have_text(f"step {step} of 11")


def text(number):
    return f"{number:g}".replace("-", "−")


def says(graph, text):
    expect(graph.locator(".cx-sentence")).to_have_text(text)


def shown(graph, kind):
    """The numbers that the boxes show, by node: of "value" or of "gradient"."""
    texts = graph.locator(f"svg [data-{kind}]").evaluate_all(
        f"texts => texts.map(text => [text.dataset.{kind}, text.textContent])"
    )
    return {name: float(text.replace("−", "-")) for name, text in texts if text}


def torchs(name, inputs):
    """Loss and gradients of a graph's inputs, by torch in float32."""
    tensors = {i: torch.tensor(float(x), requires_grad=True) for i, x in inputs.items()}
    loss = BackpropagationGraph(name, inputs).loss(tensors)
    loss.backward()
    return loss.item(), {i: tensor.grad.item() for i, tensor in tensors.items()}


def test_runs_without_an_error_and_without_the_network(lecture, lab):
    assert_ran_cleanly(lecture, lab)


def test_every_practice_question_takes_its_answer(lecture):
    assert_questions_take_their_answers(lecture, "05_backpropagation")


@pytest.mark.parametrize("preset", PRESETS)
def test_what_it_shows_at_the_end_is_torchs(graph, preset):
    name, changed = PRESETS[preset]
    choose(graph, preset)
    press(graph, "End", step=11)
    loss, gradients = torchs(name, GRAPHS[name].inputs | changed)
    assert shown(graph, "value")["L"] == pytest.approx(loss, rel=1e-3)
    found = shown(graph, "gradient")
    assert {i: found[i] for i in gradients} == pytest.approx(gradients, rel=1e-3, abs=1e-12)


def test_its_arithmetic_is_torchs_also_where_tanh_is_dead_and_windows_tie(lecture):
    lecture.page.evaluate(
        """async source => {
            const blob = new Blob([source], {type: 'text/javascript'});
            window.js = await import(URL.createObjectURL(blob));
        }""",
        str(BackpropagationGraph._esm),
    )
    draw = random.Random(5)
    dead = 0
    for name, graph in GRAPHS.items():
        for _ in range(30):
            # Whole numbers tie often; products of them saturate often.
            inputs = {i: float(draw.randint(-4, 4)) for i in graph.inputs}
            found = lecture.page.evaluate(
                "([graph, inputs]) => window.js.compute(graph, inputs)",
                [{"steps": graph.steps}, inputs],
            )
            loss, gradients = torchs(name, inputs)
            assert found["values"]["L"] == pytest.approx(loss, rel=1e-6, abs=1e-9), inputs
            assert {i: found["gradients"][i] for i in inputs} == pytest.approx(
                gradients, rel=1e-5, abs=1e-6
            ), inputs
            dead += name == "one unit" and gradients["w"] == 0
    assert dead >= 3


def test_it_is_stepped_by_keys_and_says_each_step(lecture, graph):
    before = lecture.cells()
    assert shown(graph, "value") == GRAPHS["one unit"].inputs
    press(graph, "ArrowRight", step=1)
    says(graph, "Forward: p = w · x = 0.8 · 2 = 1.6.")
    assert shown(graph, "value")["p"] == 1.6
    for step in (2, 3, 4, 5):
        press(graph, "ArrowRight", step)
    says(graph, "Forward: L = e² = 0.7616² = 0.58.")
    assert shown(graph, "gradient") == {}
    press(graph, "ArrowRight", step=6)
    assert shown(graph, "gradient") == {"L": 1}
    for step in (7, 8, 9):
        press(graph, "ArrowRight", step)
    says(graph, "Backward through a: s gets 1.523 · 0.42 = 0.6397 (the slope is 1 − a² = 0.42).")
    press(graph, "ArrowLeft", step=8)
    says(graph, re.compile(r"^Backward through e: a gets 1\.523"))
    for key in ("b", "x", "d", "d", "m", "Enter"):
        graph.page.keyboard.press(key)
    press(graph, "Home", step=0)
    says(graph, re.compile("^Only the inputs are known"))
    assert [cell["source"] for cell in lecture.cells()] == [cell["source"] for cell in before]
    assert [cell["cell_type"] for cell in lecture.cells()] == [cell["cell_type"] for cell in before]


def test_every_step_is_said_and_none_goes_wrong(lecture, lab, graph):
    for preset in PRESETS:
        choose(graph, preset)
        said = [graph.locator(".cx-sentence").inner_text()]
        for step in range(1, 12):
            press(graph, "ArrowRight", step)
            expect(graph.locator(".cx-sentence")).not_to_have_text(said[-1])
            said.append(graph.locator(".cx-sentence").inner_text())
        nodes = [*GRAPHS[PRESETS[preset][0]].steps]
        starts = [f"Forward: {node} = " for node in nodes] + ["Turn around"]
        starts += [f"Backward through {node}: " for node in reversed(nodes)]
        for sentence, start in zip(said[1:], starts, strict=True):
            assert sentence.startswith(start)
            assert "NaN" not in sentence
            assert "undefined" not in sentence
    assert_ran_cleanly(lecture, lab)


def test_where_paths_meet_it_adds_up(graph):
    choose(graph, "skip connection")
    press(graph, "End", step=11)
    says(
        graph, re.compile(r"x gets .* = 0\.4628 .*; with what came before, 4\.306: paths add up\.$")
    )
    press(graph, "ArrowLeft", step=10)
    assert shown(graph, "gradient")["x"] == 3.843
    choose(graph, "max pool")
    press(graph, "End", step=11)
    assert [shown(graph, "gradient")[name] for name in "abcde"] == [0, 0, 1, 0, 0]
    expect(graph.locator("svg .edge.nothing")).to_have_count(4)


def test_learning_lowers_the_loss_unless_the_unit_is_dead(graph):
    learn = graph.locator("[data-learn]")
    expect(learn).to_be_disabled()  # until the gradients are there
    press(graph, "End", step=11)
    learn.click()
    says(graph, re.compile(r"w and b moved .*: the loss went from 0\.58 to 0\.35\."))
    assert shown(graph, "value")["w"] == pytest.approx(0.8 - 0.1 * 1.279, abs=1e-3)
    choose(graph, "saturated")
    press(graph, "End", step=11)
    learn.click()
    says(graph, "Every gradient is 0, exactly. Nothing moved, and nothing ever will.")
    assert shown(graph, "value")["w"] == 2.5
    choose(graph, "max pool")
    press(graph, "End", step=11)
    expect(learn).to_be_disabled()
    expect(graph.locator(".bp-summary")).to_contain_text("no parameters: nothing to learn")


def test_python_reads_what_is_set_in_the_browser(lecture, graph):
    choose(graph, "skip connection")
    graph.locator("input[name=w]").focus()
    graph.page.keyboard.press("End")
    expect(graph.locator("[data-input=w]")).to_have_text("10")
    lecture.run_cell("loss = graph.loss(inputs)")
    loss, gradients = torchs("skip connection", GRAPHS["skip connection"].inputs | {"w": 10})
    output = lecture.output("loss = graph.loss(inputs)")
    expect(output).to_contain_text(f"skip connection: loss {loss:.4g}")
    expect(output).to_contain_text(f"'x': {gradients['x']:.4g}")


def test_play_steps_to_the_end_until_it_is_paused(graph):
    play = graph.locator("[data-play]")
    play.click()
    expect(play).to_have_text("Pause")
    expect(graph.locator(".bp-count")).to_have_text(re.compile(r"step ([2-9]|1.) of 11"))
    play.click()
    expect(play).to_have_text("Play")
    press(graph, "End", step=11)
    press(graph, "ArrowLeft", step=10)
    play.click()
    expect(graph.locator(".bp-count")).to_have_text("step 11 of 11")
    expect(play).to_have_text("Play")


@pytest.mark.slow  # a time, which needs a quiet computer
def test_a_drag_is_redrawn_within_50_milliseconds(graph):
    choose(graph, "max pool")
    press(graph, "End", step=11)
    turn = """number => {
        const slider = document.querySelector('.bp input[name=c]');
        slider.value = 6 + number % 7 / 2;
        slider.dispatchEvent(new Event('input', {bubbles: true}));
    }"""
    shown = "() => document.querySelector('.bp [data-value=c]').textContent"
    assert median_redraw(graph.page, turn, shown) <= 50


def test_is_readable_at_half_and_full_width_in_both_themes(lecture, graph):
    assert_readable(lecture, "[aria-label='Backpropagation graph: one unit'] .cx-body")
