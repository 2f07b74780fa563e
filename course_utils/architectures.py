"""A torch network read as a list of layers, its table, and the memory that training it takes.

>>> with torch.device("meta"):  # shapes without numbers: no memory, no waiting
...     vgg16 = torchvision.models.vgg16()
>>> rows = trace((3, 224, 224), layers_of(vgg16, (3, 224, 224)))
>>> sum(row.parameters for row in rows)
138357544
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log2, prod
from typing import TYPE_CHECKING, Any

from course_utils.arithmetic import Conv, Dense, Extent, Layer, Pool, Row

if TYPE_CHECKING:
    from torch import Tensor, nn

COLUMNS = (
    *("layer", "filters", "kernel", "stride", "padding"),
    *("feature map", "parameters", "multiply-adds", "activations", "sees"),
)


class NotAChainError(ValueError):
    """A network that is no chain of known layers; the message names the layer that stands out."""


def layers_of(network: nn.Module, shape: tuple[int, int, int]) -> list[Layer]:
    """The convolutions, pools and dense layers that an image meets, in this order.

    Layers that change neither shape nor receptive field and have no parameters (ReLU, dropout,
    flatten) are left out, and so is an adaptive pool with nothing to do.

    Args:
        network: A chain of layers, as AlexNet and VGG are; on any device, meta too.
        shape: Of one image: channels, height, width.

    Raises:
        NotAChainError: A layer of another kind, or one that doesn't take what the last one gave.
    """
    import torch

    met: list[tuple[str, nn.Module, torch.Size, torch.Size]] = []
    hooks = [
        module.register_forward_hook(
            lambda module, given, result, name=name: met.append(
                (name, module, given[0].shape, result.shape)
            )
        )
        for name, module in network.named_modules()
        if not any(True for _ in module.children())
    ]
    try:
        with torch.no_grad():
            network(torch.zeros(1, *shape, device=next(network.parameters()).device))
    finally:
        for hook in hooks:
            hook.remove()
    layers = []
    size = prod(shape)
    for name, module, given, result in met:
        if given.numel() != size:
            raise NotAChainError(
                f"Layer {name} ({type(module).__name__}) takes {given.numel():,} numbers, but the "
                f"layer before it gives {size:,}: the network branches, and has no single table."
            )
        size = result.numel()
        layers += _read(name, module, given, result)
    return layers


def _read(name: str, module: nn.Module, given: Any, result: Any) -> list[Layer]:
    """The layer that `module` is to the arithmetic: one, or none."""
    from torch import nn

    if isinstance(module, nn.Conv2d) and module.padding_mode == "zeros":
        return [
            Conv(
                module.out_channels,
                _one(module.kernel_size),
                _one(module.stride),
                _one(module.padding),
                _one(module.dilation),
                module.groups,
                module.bias is not None,
            )
        ]
    if isinstance(module, nn.MaxPool2d) and not module.ceil_mode and module.dilation == 1:
        return [Pool(*(_one(e) for e in (module.kernel_size, module.stride, module.padding)))]
    if isinstance(module, nn.AdaptiveAvgPool2d) and given == result:
        return []
    if isinstance(module, nn.Linear):
        return [Dense(module.out_features, module.bias is not None)]
    if isinstance(module, nn.ReLU | nn.Dropout | nn.Flatten | nn.Identity):
        return []
    raise NotAChainError(
        f"Layer {name} ({module}) is none that the arithmetic knows: use Conv2d, MaxPool2d and "
        "Linear, and between them ReLU, Dropout, Flatten."
    )


def _one(extent: Any) -> Extent:
    """(3, 3) as 3, which reads better."""
    if isinstance(extent, tuple) and len(set(extent)) == 1:
        return int(extent[0])
    return extent


def show_table(rows: Sequence[Row]) -> None:
    """Show an architecture's table, a line for each row, with the parameters and work in total.

    A block ends with its pool. Feature maps are written height × width × channels, and
    activations are counted for one image.
    """
    from IPython.display import display

    lines = [_cells(row) for row in rows]
    totals = [sum(row.parameters for row in rows), sum(row.macs for row in rows)]
    foot = ["total", "", "", "", "", "", *(f"{total:,}" for total in totals), "", ""]
    text = "\n".join("  ".join(filter(None, line)) for line in [list(COLUMNS), *lines, foot])
    body = ""
    for row, line in zip(rows, lines, strict=True):
        last = isinstance(row.layer, Pool) or row.layer is None
        body += f"<tr{' class=last' if last else ''}>{_html(line)}</tr>"
    head = "".join(f'<th scope="col">{name}</th>' for name in COLUMNS)
    page = (
        # It can be scrolled sideways where it is too wide: with the keys, too.
        f'<div class="layer-table" tabindex="0" role="region" aria-label="Layers">{STYLE}'
        f"<table><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody><tfoot><tr>{_html(foot)}</tr></tfoot></table></div>"
    )
    display({"text/html": page, "text/plain": text}, raw=True)


STYLE = (
    "<style>.layer-table { overflow-x: auto; } .layer-table table { border-collapse: collapse; }"
    ".layer-table :is(th, td) { padding: 2px 7px; font-size: 12px; text-align: right;"
    " white-space: nowrap; font-variant-numeric: tabular-nums; }"
    ".layer-table th:first-child { position: sticky; left: 0; text-align: left;"
    " background: var(--jp-layout-color0, #fff); }"
    ".layer-table tbody th { font-weight: 400; }"
    ".layer-table :is(.last, thead tr) :is(th, td) { border-bottom: 1px solid currentColor; }"
    ".layer-table tfoot tr > * { font-weight: 700; }</style>"
)


def show_blocks(rows: Sequence[Row], alt: str) -> None:
    """Draw an architecture from left to right: a box for each feature map, a block with its pool.

    A box is as high as the map, and the thicker the more channels it has (twice as many make it
    half as thick again); dense layers are bars. Below each block stand its map and its channels.

    Args:
        rows: Of a chain with square maps, from `trace`.
        alt: For whoever can't see it.
    """
    from matplotlib.patches import Rectangle

    from course_utils.plots import COLORS, PAGE_INCHES, new_figure, show

    figure, ax = new_figure(PAGE_INCHES, 2.6)
    ax.set_axis_off()
    left, block, begins = 0.0, 1, 0.0
    for row in rows[1:]:
        dense, pool = isinstance(row.layer, Dense), isinstance(row.layer, Pool)
        height = 0.35 if dense else row.shape[1] / rows[0].shape[1]
        width = 0.05 if dense else 0.02 * 1.5 ** log2(row.shape[0] / 16)
        box = Rectangle((left, -height / 2), width, height, edgecolor="#333333", linewidth=0.6)
        box.set_facecolor(COLORS["purple" if dense else "window" if pool else "sky"])
        ax.add_patch(box)
        left += width + 0.015
        if dense or pool:
            said = f"block {block}\n{_by(row.shape[1:])}\n{row.shape[0]} channels"
            said = f"{row.shape[0]:,}" if dense else said
            middle, turned = (begins + left) / 2, 90 if dense else 0
            ax.text(middle, -0.6, said, ha="center", va="top", fontsize=8, rotation=turned)
            left += 0.12
            begins, block = left, block + 1
    ax.set_xlim(-0.05, left)
    ax.set_ylim(-1.05, 0.55)
    named = {"convolution": "sky", "max pool": "window", "dense": "purple"}
    handles = [Rectangle((0, 0), 1, 1, facecolor=COLORS[color]) for color in named.values()]
    ax.legend(handles, list(named), loc="upper right", frameon=False, fontsize=8)
    show(figure, alt)


def in_blocks(rows: Sequence[Row], of: str) -> dict[str, int]:
    """The sum of one column over each block; the dense layers form the last one.

    Args:
        rows: From `trace`; a block ends with its pool.
        of: The column: "parameters", "macs" or "activations".
    """
    sums: dict[str, int] = {}
    block = 1
    for row in rows[1:]:
        name = "dense" if isinstance(row.layer, Dense) else f"block {block}"
        sums[name] = sums.get(name, 0) + getattr(row, of)
        block += isinstance(row.layer, Pool)
    return sums


def show_residual(blocks: Mapping[str, Sequence[str]], alt: str) -> None:
    """Draw residual blocks, one below the other: layers in a row, and a path around them.

    Args:
        blocks: By title, what stands in the boxes, from the input to the sum.
        alt: For whoever can't see it.
    """
    from course_utils.plots import COLORS, PAGE_INCHES, new_figure, show

    figure, axes = new_figure(PAGE_INCHES, 1.5 * len(blocks), nrows=len(blocks), squeeze=False)
    for ax, (title, layers) in zip(axes[:, 0], blocks.items(), strict=True):
        ax.set_axis_off()
        ax.set_title(title, fontsize=10, loc="left")
        end = len(layers) + 1
        drawn = ["x", *layers, "+", "ReLU", "y"]
        for place, text in enumerate(drawn):
            bare = text in ("x", "y")
            box = {"boxstyle": "circle" if text == "+" else "round", "edgecolor": "#333333"}
            box["facecolor"] = COLORS["output" if text == "+" else "input"]
            ax.text(place, 0, text, ha="center", va="center", bbox=None if bare else box)
            if place:
                arrow = {"arrowstyle": "->", "color": "#333333"}
                ax.annotate("", (place - 0.34, 0), (place - 0.66, 0), arrowprops=arrow)
        around = {"color": COLORS["left over"], "linewidth": 2}
        ax.plot((0, 0, end, end), (0.3, 0.8, 0.8, 0.5), **around)
        ax.annotate("", (end, 0.28), (end, 0.6), arrowprops={"arrowstyle": "->"} | around)
        ax.text(end / 2, 0.9, "skip connection", ha="center", color=COLORS["left over"])
        ax.set_xlim(-0.5, len(drawn) - 0.5)
        ax.set_ylim(-0.5, 1.1)
    show(figure, alt)


def show_histograms(numbers: Mapping[str, Tensor], alt: str) -> None:
    """Draw side by side how often numbers of each size occur, with mean and standard deviation.

    Args:
        numbers: By title; all are drawn on the same horizontal axis.
        alt: For whoever can't see it.
    """
    from course_utils.plots import COLORS, PAGE_INCHES, new_figure, show

    figure, axes = new_figure(PAGE_INCHES, 2, ncols=len(numbers), sharex=True, squeeze=False)
    for ax, (title, tensor) in zip(axes[0], numbers.items(), strict=True):
        flat = tensor.detach().flatten()
        ax.hist(flat.numpy(), bins=40, color=COLORS["sky"])
        said = f"mean {flat.mean() + 0.0:.2f}, std {flat.std():.2f}".replace("-0.00", "0.00")
        ax.set_title(f"{title}\n{said}", fontsize=9)
        ax.axvline(flat.mean(), color=COLORS["left over"])
        ax.set_yticks([])
        ax.spines[["top", "right", "left"]].set_visible(False)
    show(figure, alt)


def show_pairs(
    panels: Mapping[str, tuple[Sequence[float], Sequence[float]]], names: tuple[str, str], alt: str
) -> None:
    """Draw what two ways reach on the same splits: two dots for each split, joined by a line.

    Args:
        panels: By title, the results of the first and of the second way, split by split.
        names: Of the two ways.
        alt: For whoever can't see it.
    """
    from course_utils.plots import COLORS, new_figure, show

    figure, axes = new_figure(6.6, 2.9, ncols=len(panels), sharey=True, squeeze=False)
    for ax, (title, (first, second)) in zip(axes[0], panels.items(), strict=True):
        for pair in zip(first, second, strict=True):
            color = COLORS["blue" if pair[1] > pair[0] else "left over"]
            ax.plot((0, 1), pair, color=color, marker="o", markersize=4, linewidth=1)
        ax.set_xlim(-0.4, 1.4)
        ax.set_xticks((0, 1), names)
        ax.set_title(title, fontsize=10)
        ax.spines[["top", "right"]].set_visible(False)
    show(figure, alt)


def show_memory(bars: Mapping[str, Mapping[str, float]], limit: float, alt: str) -> None:
    """Draw what fills the memory: a bar in parts for each name, and a line where it is full.

    Args:
        bars: By name, the size of each part in GiB.
        limit: In GiB.
        alt: For whoever can't see it.
    """
    from course_utils.plots import COLORS, PAGE_INCHES, new_figure, show

    figure, ax = new_figure(PAGE_INCHES, 0.8 + 0.4 * len(bars))
    begins = [0.0] * len(bars)
    parts = next(iter(bars.values()))
    for part, color in zip(parts, ("blue", "sky", "purple", "window"), strict=False):
        sizes = [bar[part] for bar in bars.values()]
        ax.barh(list(bars), sizes, left=begins, color=COLORS[color], label=part)
        begins = [begin + size for begin, size in zip(begins, sizes, strict=True)]
    ax.axvline(limit, color=COLORS["left over"], linestyle="--")
    ax.invert_yaxis()
    ax.set_xlabel("GiB")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    show(figure, alt)


def _cells(row: Row) -> list[str]:
    channels, *space = row.shape
    layer = row.layer
    shown = ["input", "", "", "", ""]
    if isinstance(layer, Conv):
        settings = (layer.filters, _by(layer.kernel), layer.stride, layer.padding)
        shown = ["conv", *map(str, settings)]
    elif isinstance(layer, Pool):
        shown = ["max pool", "", _by(layer.kernel), str(layer.step), str(layer.padding or "")]
    elif isinstance(layer, Dense):
        shown = ["dense", str(layer.units), "", "", ""]
    costs = (f"{number:,}" if number else "" for number in (row.parameters, row.macs))
    size, sees = _by((*space, channels)), _by(row.receptive_field)
    return [*shown, size, *costs, f"{row.activations:,}", sees]


def _html(cells: list[str]) -> str:
    first, *rest = cells
    return f'<th scope="row">{first}</th>' + "".join(f"<td>{cell}</td>" for cell in rest)


def _by(extent: Extent) -> str:
    return "×".join(map(str, extent if isinstance(extent, tuple) else (extent, extent)))


def cost_of(network: nn.Module, shape: tuple[int, int, int]) -> tuple[int, int]:
    """Parameters and multiply-adds for one image, of a network that may branch.

    Args:
        network: Of 2-D convolutions and dense layers, and layers that multiply nothing (norms are
            not counted); on any device, meta too.
        shape: Of one image: channels, height, width.
    """
    import torch
    from torch import nn

    work: list[int] = []
    hooks = [
        layer.register_forward_hook(
            lambda layer, _, result: work.append(result.numel() * layer.weight[0].numel())
        )
        for layer in network.modules()
        if isinstance(layer, nn.Conv2d | nn.Linear)
    ]
    try:
        with torch.no_grad():
            network(torch.zeros(1, *shape, device=next(network.parameters()).device))
    finally:
        for hook in hooks:
            hook.remove()
    return sum(parameter.numel() for parameter in network.parameters()), sum(work)


def kept_for_backward(network: nn.Module, shape: tuple[int, int, int]) -> int:
    """Bytes that autograd keeps from the forward pass of one image, parameters not counted.

    Measured, not calculated: PyTorch is asked what it saves. On the meta device that costs
    neither time nor memory.

    Args:
        network: In the mode in which it is trained (`train()`); on any device.
        shape: Of one image: channels, height, width.
    """
    import torch
    from torch.autograd.graph import saved_tensors_hooks

    own = {parameter.untyped_storage()._cdata for parameter in network.parameters()}
    kept: dict[int, torch.UntypedStorage] = {}  # by address; holding them keeps addresses apart

    def pack(saved: Tensor) -> Tensor:
        kept[saved.untyped_storage()._cdata] = saved.untyped_storage()
        return saved

    image = torch.zeros(1, *shape, device=next(network.parameters()).device)
    with saved_tensors_hooks(pack, lambda saved: saved):
        result = network(image)  # noqa: F841  # its graph must live until we have counted
    return sum(storage.nbytes() for address, storage in kept.items() if address not in own)


def training_peak(network: nn.Module, images: Tensor) -> int:
    """The most bytes that PyTorch held on the GPU during two steps of SGD with momentum.

    Two, because momentum is first stored at the end of the first. cuDNN's workspace is counted,
    CUDA's own memory (some hundred MiB) is not.

    Args:
        network: On a CUDA device, from images to logits.
        images: [N, C, H, W], on the same device.

    Raises:
        ValueError: The images are not on a CUDA device.
    """
    import torch

    if images.device.type != "cuda":
        raise ValueError(
            f"The images are on {images.device}, where PyTorch doesn't count what it holds: "
            "move them and the network to a GPU with .cuda()."
        )
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9)
    labels = torch.zeros(len(images), dtype=torch.long, device=images.device)
    torch.cuda.reset_peak_memory_stats(images.device)
    for _ in range(2):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(images), labels).backward()
        optimizer.step()
    return torch.cuda.max_memory_allocated(images.device)
