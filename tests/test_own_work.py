"""House rules: what a function runs is looked at, not what it calls it."""

from __future__ import annotations

import importlib
import random
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

from course_utils import models
from course_utils.own_work import OwnWorkError, active, enforced, own_work, paused

X = torch.arange(36.0).reshape(1, 1, 6, 6)
W = torch.ones(1, 1, 3, 3)
LOGITS, LABELS = torch.ones(2, 3), torch.tensor([0, 2])


def by_engine(x):
    x = x.clone().requires_grad_()
    with torch.enable_grad():
        getattr((x * x).sum(), "back" + "ward")()
    return x.grad


def dual(x):
    with torch.autograd.forward_ad.dual_level():
        value = torch.autograd.forward_ad.make_dual(x, torch.ones_like(x))
        return torch.autograd.forward_ad.unpack_dual(value * value).tangent


def gradient(x):
    return torch.autograd.grad((x * x).sum(), x)[0]


def swallowed(x):
    try:
        return F.max_pool2d(x, 2)
    except RuntimeError:
        return x


def loaded(x):
    return list(torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x), 2))


def resized(x):
    import torchvision.transforms.functional as other_name

    return other_name.resize(x, [3, 3])


def in_a_thread(do, *args):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(do, *args).result()


def adam(x):
    optimizer = torch.optim.Adam([nn.Parameter(x)])
    optimizer.step()


DONE = {
    "convolution": [
        lambda: F.conv2d(X, W),
        lambda: torch.conv2d(X, W),
        lambda: torch.ops.aten.conv2d(X, W),
        lambda: torch.convolution(X, W, None, (1, 1), (0, 0), (1, 1), False, (0, 0), 1),
        lambda: torch._convolution(
            X, W, None, (1, 1), (0, 0), (1, 1), False, (0, 0), 1, *[False] * 4
        ),
        lambda: nn.Conv2d(1, 1, 3)(X),
        lambda: F.conv1d(X[:, :, 0], W[:, :, 0]),
        lambda: F.conv_transpose2d(X, W),
        lambda: torch.nn.grad.conv2d_weight(X, W.shape, torch.ones(1, 1, 4, 4)),
        lambda: torch.inference_mode()(F.conv2d)(X, W),
    ],
    "pooling": [
        lambda: F.max_pool2d(X, 2),
        lambda: torch.max_pool2d(X, 2),
        lambda: F.max_pool3d(X, (1, 2, 2)),
        lambda: F.max_pool2d(X, 2, return_indices=True),
        lambda: F.adaptive_max_pool2d(X, 2),
        lambda: F.avg_pool2d(X, 2),
        lambda: nn.AdaptiveAvgPool2d(2)(X),
        lambda: F.max_unpool2d(X, torch.zeros(1, 1, 6, 6, dtype=torch.int64), 2),
        lambda: torch.inference_mode()(F.max_pool2d)(X, 2),
        lambda: swallowed(X),
        lambda: torchvision.ops.roi_pool(X, [torch.tensor([[0.0, 0.0, 5.0, 5.0]])], 3),
        lambda: in_a_thread(F.max_pool2d, X, 2),
    ],
    "normalisation": [
        lambda: F.batch_norm(X, None, None, training=True),
        lambda: nn.BatchNorm2d(1)(X),
        lambda: nn.BatchNorm2d(1).eval()(X),
        lambda: F.layer_norm(X, (6,)),
        lambda: F.group_norm(X, 1),
        lambda: F.instance_norm(X),
        lambda: F.rms_norm(X, (6,)),
        lambda: torch.rms_norm(X, (6,)),
    ],
    "cross-entropy": [
        lambda: F.cross_entropy(LOGITS, LABELS),
        lambda: F.nll_loss(LOGITS, LABELS),
        lambda: nn.CrossEntropyLoss()(LOGITS, LABELS),
    ],
    "autograd": [
        lambda: by_engine(X),
        lambda: in_a_thread(by_engine, X),
        lambda: gradient(X.clone().requires_grad_()),
        lambda: torch.func.grad(lambda x: (x * x).sum())(X),
        lambda: torch.func.vjp(torch.tanh, X)[1](X),
        lambda: torch.func.jvp(torch.tanh, (X,), (X,)),
        lambda: torch.autograd.functional.jacobian(torch.tanh, X),
        lambda: dual(X),
        lambda: torch.ops.aten.tanh_backward(X, X),
        lambda: torch.ops.aten._softmax_backward_data(X, X, 1, torch.float32),
    ],
    "transforms": [lambda: resized(X)],
    "loading": [lambda: loaded(X), lambda: in_a_thread(loaded, X)],
    "optimiser": [lambda: adam(X)],
    "chance": [
        lambda: torch.manual_seed(1),
        lambda: torch.default_generator.manual_seed(1),
        lambda: torch.randn(2),
        lambda: np.random.seed(1),
        lambda: np.random.rand(),
        random.random,
    ],
}
CASES = [(step, number) for step, cases in DONE.items() for number in range(len(cases))]


def backward(x, grad_y):
    """By hand, under names that mean something else elsewhere."""

    class Layer:
        def backward(self, v2):
            return v2 * (1 - torch.tanh(x) ** 2)

    with torch.enable_grad():
        return Layer().backward(grad_y)


OWN_WORK = [
    lambda: backward(X, X),
    lambda: F.unfold(X, 2).amax(1),
    lambda: X.unfold(2, 2, 2).unfold(3, 2, 2).amax((-1, -2)),
    lambda: torch.einsum("ijkl,ijkm->ijlm", X, X),
    lambda: X.requires_grad_(False).mean((0, 2, 3), keepdim=True),
    lambda: X.var((0, 2, 3), unbiased=False),
    lambda: torch.softmax(LOGITS, 1).log()[range(2), LABELS].neg().mean(),
    lambda: torch.rand(3, generator=torch.Generator().manual_seed(1)),
    lambda: np.random.default_rng(1).random(3) + random.Random(1).random(),
    lambda: F.interpolate(X, size=3, mode="bilinear", antialias=True),
    lambda: torch.no_grad()(torch.tanh)(X),
    lambda: in_a_thread(torch.tanh, X),
    lambda: X.clone().requires_grad_().sum(),
    lambda: nn.functional.pad(X, (1, 1)).numpy().sum(),
]


@pytest.mark.parametrize(("step", "number"), CASES)
def test_what_does_a_step_is_refused_under_every_name(step, number):
    do = DONE[step][number]
    do()  # works where the step isn't the student's
    torch.rand(1), np.random.rand()  # so that the same seed again makes a difference
    says = step if step != "chance" else "generator of your own"
    with pytest.raises(OwnWorkError, match=says), own_work(step):
        do()


@pytest.mark.parametrize("number", range(len(OWN_WORK)))
def test_own_work_passes_all_rules(number):
    want = OWN_WORK[number]()
    with own_work(*DONE):
        got = OWN_WORK[number]()
    assert torch.equal(torch.as_tensor(got), torch.as_tensor(want))


def test_a_network_may_draw_its_first_weights_and_nothing_else():
    with own_work("chance-but-torch"):
        nn.Linear(2, 2)
    for draw in (np.random.rand, random.random, lambda: torch.manual_seed(2), torch.seed):
        with pytest.raises(OwnWorkError, match="generator"), own_work("chance-but-torch"):
            draw()


def test_a_loop_over_elements_is_refused_and_as_many_operations_as_it_takes_are_not():
    def by_loops(x):
        return torch.stack([x[:, :, i, j] for i in range(x.shape[2]) for j in range(6)])

    with own_work("loops"):
        for _ in range(15):
            X.reshape(1, 1, 3, 2, 3, 2).amax((3, 5))
    with pytest.raises(OwnWorkError, match="without a loop in Python"), own_work("loops"):
        by_loops(X)
    with pytest.raises(OwnWorkError, match="without a loop in Python"), own_work("loops"):
        [in_a_thread(by_loops, part) for part in (X[..., :3, :], X[..., 3:, :]) * 2]


def test_a_rule_holds_inside_only_and_leaves_everything_as_it_was():
    with own_work("convolution"):
        assert active() == ("convolution",)
        F.max_pool2d(X, 2)
        with own_work("pooling", "convolution"):
            assert active() == ("convolution", "pooling")
    assert active() == ()
    F.conv2d(X, W)
    with pytest.raises(ZeroDivisionError), own_work("convolution", "loading", "chance"):
        _ = 1 / 0
    assert active() == ()
    F.conv2d(X, W)
    loaded(X)


def test_a_module_is_a_rule_and_an_unknown_step_is_named():
    boxes = torch.ones(1, 4)
    with (
        pytest.raises(OwnWorkError, match=r"torchvision\.ops.*'s box_iou"),
        own_work("torchvision.ops"),
    ):
        torchvision.ops.box_iou(boxes, boxes)
    with pytest.raises(ValueError, match=r"'convolutions': use autograd, convolution"):
        own_work("convolutions")


def test_a_function_is_a_rule_and_the_others_of_its_module_are_not():
    network = nn.Module()
    network.fc = nn.Linear(2, 3)
    with own_work("course_utils.models.swap_head", "chance-but-torch"):
        models.imagenet_classes()
    refused = r"^course_utils\.models\.swap_head is not available"
    with pytest.raises(OwnWorkError, match=refused), own_work("course_utils.models.swap_head"):
        models.swap_head(network, 2)


def test_a_module_that_is_imported_too_late_to_be_seen_is_seen(tmp_path, monkeypatch):
    (tmp_path / "brought").mkdir()
    (tmp_path / "brought" / "along.py").write_text("def filtered(x):\n    return x\n")
    monkeypatch.syspath_prepend(tmp_path)

    def brings_it_along(x):
        return importlib.import_module("brought.along").filtered(x)

    with pytest.raises(OwnWorkError, match=r"brought\.along is not"), own_work("brought.along"):
        brings_it_along(X)
    brings_it_along(X)
    for rule in ("brought.along", "brought.along.filtered"):
        with pytest.raises(OwnWorkError, match=r"brought\.along.*filtered"), own_work(rule):
            brings_it_along(X)
    for name in ("brought", "brought.along"):
        del sys.modules[name]
    with pytest.raises(OwnWorkError, match="filtered is not"), own_work("brought.along.filtered"):
        brings_it_along(X)


def test_what_runs_in_a_pause_is_not_looked_at():
    with enforced(("pooling", "loading", "loops")):
        with paused():
            for _ in range(100):
                F.max_pool2d(X, 2)
            loaded(X)
        _ = X + X


@pytest.mark.parametrize("step", [lambda: F.max_pool2d(X, 2), lambda: loaded(X)])
def test_the_rules_hold_again_after_a_pause(step):
    def pause_and_do_it():
        with paused():
            pass
        step()

    with pytest.raises(OwnWorkError), enforced(("pooling", "loading")):
        pause_and_do_it()
