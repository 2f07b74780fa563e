"""The explorer's arithmetic, in the browser's own JavaScript, against Python's and torch's."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import nn

from course_utils.arithmetic import Conv, ShapeError, output_size, same_padding, trace
from course_utils.interactives import convolution

pytestmark = pytest.mark.browser

NAMES = ("size", "kernel", "stride", "padding", "dilation", "channels", "filters")
GRID = [
    dict(zip(NAMES, (*window, channels, filters), strict=True))
    for window in product((1, 4, 7, 12, 24), (1, 2, 3, 11), (1, 2, 3, 5), (0, 1, 5), (1, 2, 4))
    for channels, filters in ((1, 1), (3, 8))
]

COMPUTE = """async ([source, grid]) => {
    const url = URL.createObjectURL(new Blob([source], {type: 'text/javascript'}));
    const js = await import(url);
    return grid.map(setting => {
        const found = js.outputSize(setting);
        return {
            size: found.size ?? null,
            reason: found.reason ?? null,
            leftOver: found.leftOver ?? null,
            same: js.same(setting),
            parameters: js.parameters(setting),
            macs: found.reason ? null : js.multiplyAdds(setting, found.size),
            fields: [1, 2, 3].map(depth => js.receptiveField(setting, depth)),
        };
    });
}"""


@pytest.fixture(scope="module")
def computed(browser_context):
    page = browser_context.new_page()
    source = convolution.ConvolutionExplorer._esm
    rows = page.evaluate(COMPUTE, [str(source), GRID])
    page.close()
    return list(zip(GRID, rows, strict=True))


def test_sizes_and_reasons_are_pythons(computed):
    refused = 0
    for setting, row in computed:
        window = [setting[name] for name in NAMES[:5]]
        try:
            want = {"size": output_size(*window), "reason": None}
        except ShapeError as error:
            refused += 1
            want = {"size": None, "reason": str(error)}
        assert {"size": row["size"], "reason": row["reason"]} == want, setting
    assert 100 < refused < len(computed) / 2


def test_what_is_left_over_is_what_the_last_window_does_not_reach(computed):
    for setting, row in computed:
        if row["reason"]:
            continue
        reach = setting["dilation"] * (setting["kernel"] - 1) + 1
        last = (row["size"] - 1) * setting["stride"] + reach
        assert row["leftOver"] == setting["size"] + 2 * setting["padding"] - last


def test_same_is_pythons(computed):
    for setting, row in computed:
        window = (setting["kernel"], setting["stride"])
        before, after = same_padding(setting["size"], *window, setting["dilation"])
        assert (row["same"]["before"], row["same"]["after"]) == (before, after)
        padded = setting["size"] + before + after
        # A window that is left without padding may stop short: SAME counts it nevertheless.
        if padded >= setting["dilation"] * (setting["kernel"] - 1) + 1:
            assert row["same"]["size"] == output_size(padded, *window, 0, setting["dilation"])


def test_costs_and_receptive_fields_are_pythons(computed):
    for setting, row in computed:
        if row["reason"]:
            continue
        shape = (setting["channels"], setting["size"], setting["size"])
        conv = Conv(setting["filters"], *(setting[name] for name in NAMES[1:5]))
        traced = trace(shape, [conv])[1]
        assert (row["parameters"], row["macs"]) == (traced.parameters, traced.macs)
        roomy = trace((1, 2000), [Conv(1, *(setting[name] for name in NAMES[1:5]))] * 3)
        assert row["fields"] == [layer.receptive_field[0] for layer in roomy[1:]]


def test_sizes_and_parameters_are_torchs(computed):
    for setting, row in computed:
        conv = nn.Conv2d(
            setting["channels"],
            *(setting[name] for name in ("filters", *NAMES[1:5])),
            device="meta",
        )
        assert row["parameters"] == sum(p.numel() for p in conv.parameters())
        image = torch.empty(1, setting["channels"], *[setting["size"]] * 2, device="meta")
        if row["reason"]:
            with pytest.raises(RuntimeError, match="Kernel size can't be greater"):
                conv(image)
        else:
            assert conv(image).shape[2:] == (row["size"], row["size"])
