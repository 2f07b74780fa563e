"""The random state that a test seeded, on its way to the student's code."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from autograder.judge.wire.decoder import Decoder
    from autograder.judge.wire.encoder import Encoder

GENERATORS = np.random.Generator, np.random.RandomState, random.Random, torch.Generator


def current() -> tuple[Any, ...]:
    """Return the state of torch's, numpy's and Python's generators, in comparable form."""
    numpy_state: Any = np.random.get_state(legacy=True)
    torch_state = torch.get_rng_state().numpy().tobytes()
    return torch_state, numpy_state[1].tobytes(), numpy_state[2:], random.getstate()


def encode(state: tuple[Any, ...], encoder: Encoder) -> list[Any]:
    """Return the form in which a state crosses."""
    torch_state, numpy_keys, numpy_rest, python_state = state
    rest = [x if x == int(x) else float(x) for x in numpy_rest]
    return [
        encoder.buffer(torch_state),
        torch.initial_seed(),
        [encoder.buffer(numpy_keys), *rest],
        python_state,
    ]


def restore(seeds: Any, decoder: Decoder) -> None:
    """Set this process's generators to a state that crossed."""
    torch_state, torch_seed, numpy_state, python_state = seeds
    data = decoder.buffers[torch_state]
    torch.set_rng_state(torch.frombuffer(data, dtype=torch.uint8).clone())
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(torch_seed)
    keys = np.frombuffer(decoder.buffers[numpy_state[0]], dtype=np.uint32)
    np.random.set_state(("MT19937", keys, *numpy_state[1:]))
    version, words, gauss = python_state
    random.setstate((version, tuple(words), gauss))


def random_state(generator: Any) -> str:
    """Return the state of one of the `GENERATORS`, in comparable form."""
    match generator:
        case np.random.Generator():
            return repr(generator.bit_generator.state)
        case np.random.RandomState():
            state: Any = generator.get_state()
            return repr([state[1].tobytes(), *state[2:]])
        case random.Random():
            return repr(generator.getstate())
        case _:
            return repr(generator.get_state().numpy().tobytes())
