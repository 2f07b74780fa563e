# ---
# about: Momentum and Adam with lerp, addcmul and exponentials, and a state of named parts.
# blind: true
# ---

# %% solution="momentum_step"
def momentum_step(value, gradient, velocity, rate, momentum=0.9):
    faster = torch.add(gradient, velocity, alpha=momentum)
    return torch.sub(value, faster, alpha=rate), faster


# %% solution="adam_step"
class Averages(NamedTuple):
    m: torch.Tensor
    v: torch.Tensor
    steps: int


def adam_step(value, gradient, state, rate=0.001, betas=(0.9, 0.999), eps=1e-8):
    one, two = betas
    steps = 1 + state[2]
    m = torch.lerp(state[0], gradient, 1 - one)
    v = torch.addcmul(two * state[1], gradient, gradient, value=1 - two)
    left = [1 - float(np.power(beta, steps)) for beta in betas]
    size = v.div(left[1]).sqrt().add(eps)
    return value.addcdiv(m.div(left[0]), size, value=-rate), Averages(m, v, steps)
