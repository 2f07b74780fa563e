"""The backpropagation graph: step through a small loss, forwards and backwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from course_utils.interactives.parts import script, style

if TYPE_CHECKING:
    from torch import Tensor

LIMIT = 10.0  # the largest absolute value of an input


@dataclass(frozen=True)
class Graph:
    """A loss as a graph of single operations.

    Attributes:
        inputs: the name of each input, with its first value.
        steps: the name of each computed value, in order, with (operation, names of the operands).
            The last value is the loss.
        parameters: the inputs that training would change.
        places: the column and the row of each node in the drawing.
    """

    inputs: Mapping[str, float]
    steps: Mapping[str, tuple[str, ...]]
    parameters: tuple[str, ...]
    places: Mapping[str, tuple[float, float]]


GRAPHS = {
    "one unit": Graph(
        inputs={"x": 2.0, "w": 0.8, "b": -0.6, "t": 0.0},
        steps={
            "p": ("multiply", "w", "x"),
            "s": ("add", "p", "b"),
            "a": ("tanh", "s"),
            "e": ("subtract", "a", "t"),
            "L": ("square", "e"),
        },
        parameters=("w", "b"),
        places={
            **{"x": (0, 0), "w": (0, 1), "b": (1, 1.6), "t": (3, 1.6)},
            **{"p": (1, 0.5), "s": (2, 0.5), "a": (3, 0.5), "e": (4, 0.5), "L": (5, 0.5)},
        },
    ),
    "skip connection": Graph(
        inputs={"x": 2.0, "w": 0.8, "t": 1.0},
        steps={
            "p": ("multiply", "w", "x"),
            "a": ("tanh", "p"),
            "s": ("add", "a", "x"),
            "e": ("subtract", "s", "t"),
            "L": ("square", "e"),
        },
        parameters=("w",),
        places={
            **{"w": (0, 0), "x": (0, 1.3), "t": (3, 2)},
            **{"p": (1, 0.3), "a": (2, 0.3), "s": (3, 0.9), "e": (4, 0.9), "L": (5, 0.9)},
        },
    ),
    "max pool": Graph(
        inputs={"a": 1.0, "b": 3.0, "c": 5.0, "d": 2.0, "e": 4.0, "u": 1.5, "v": -0.5},
        steps={
            "m": ("max", "a", "b", "c"),
            "n": ("max", "c", "d", "e"),
            "p": ("multiply", "m", "u"),
            "q": ("multiply", "n", "v"),
            "L": ("add", "p", "q"),
        },
        parameters=(),
        places={
            **{"a": (0, 0), "b": (0, 1), "c": (0, 2), "d": (0, 3), "e": (0, 4)},
            **{"m": (1.2, 1.2), "n": (1.2, 2.8), "u": (1.2, 0), "v": (1.2, 4)},
            **{"p": (2.4, 1.2), "q": (2.4, 2.8), "L": (3.6, 2)},
        },
    ),
}


class BackpropagationGraph(anywidget.AnyWidget):
    """A graph to step through: forwards to each node's value, backwards to each node's gradient.

    The browser computes all numbers (`backpropagation.js`), so the figure also works while the
    kernel is busy. It computes in float32, as networks do; the tests compare it with torch.

    Args:
        graph: the name of a graph in `GRAPHS`.
        inputs: the values of some or all of its inputs. The others keep the values in `GRAPHS`.

    Attributes:
        graph: the name of the graph that is shown.
        inputs: the value of each of its inputs, between -10 and 10.
        step: how many steps are done. First there is a step forwards for each operation. Then a
            step sets the gradient of the loss to 1. Then there is a step backwards for each
            operation.

    Raises:
        TraitError: there is no such graph or input, or a value is out of range.
    """

    _esm = script("backpropagation")
    _css = style("backpropagation")

    graph = traitlets.Enum(list(GRAPHS), default_value="one unit").tag(sync=True)
    inputs: traitlets.Dict = traitlets.Dict().tag(sync=True)
    step = traitlets.Int(0, min=0).tag(sync=True)
    _graphs = traitlets.Dict({name: asdict(graph) for name, graph in GRAPHS.items()}).tag(sync=True)
    _limit = traitlets.Float(LIMIT).tag(sync=True)

    def __init__(
        self, graph: str = "one unit", inputs: Mapping[str, float] | None = None, **settings: Any
    ) -> None:
        if graph not in GRAPHS:
            raise traitlets.TraitError(
                f"There is no graph {graph!r}. There are: {', '.join(GRAPHS)}."
            )
        super().__init__(graph=graph, inputs={**GRAPHS[graph].inputs, **(inputs or {})}, **settings)

    def __repr__(self) -> str:
        return "Backpropagation graph: run this cell in JupyterLab to play with it."

    def loss(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Compute the loss of the graph with torch, to compare it with the browser's.

        Args:
            inputs: for each input a number, as a tensor [].

        Returns:
            The loss, a tensor [] that can be differentiated.
        """
        import torch
        import torch.nn.functional as F

        operations: dict[str, Callable[..., Tensor]] = {
            "add": torch.add,
            "subtract": torch.sub,
            "multiply": torch.mul,
            "square": torch.square,
            "tanh": torch.tanh,
            "max": lambda *window: F.max_pool1d(torch.stack(window)[None], len(window)).squeeze(),
        }
        values = dict(inputs)
        for name, (operation, *operands) in GRAPHS[self.graph].steps.items():
            values[name] = operations[operation](*(values[operand] for operand in operands))
        return values[name]

    @traitlets.observe("graph")
    def _take_its_inputs(self, _: object) -> None:
        defaults = GRAPHS[self.graph].inputs
        if set(self.inputs) != set(defaults):
            self.inputs = dict(defaults)

    @traitlets.validate("inputs")
    def _check_inputs(self, proposal: Any) -> dict[str, float]:
        values = dict(proposal["value"])
        names = GRAPHS[self.graph].inputs
        if set(values) != set(names):
            raise traitlets.TraitError(
                f"The inputs of {self.graph!r} are {', '.join(names)}, not {', '.join(values)}."
            )
        for name, value in values.items():
            if not isinstance(value, int | float) or not abs(value) <= LIMIT:
                raise traitlets.TraitError(
                    f"The input {name!r} must be a number between {-LIMIT:g} and {LIMIT:g}, "
                    f"not {value!r}."
                )
        return values
