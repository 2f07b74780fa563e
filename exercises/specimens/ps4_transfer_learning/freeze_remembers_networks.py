# ---
# about: Does nothing to a network that it has frozen before.
# fails:
#   test_freeze: "has its old gradient: set it to None"
# ---

# %% solution="freeze"
_FROZEN = []


def freeze(network, head):
    """Let only the parameters of the submodule called `head` learn; in place."""
    if any(network is known for known in _FROZEN):
        return
    _FROZEN.append(network)
    for parameter in network.parameters():
        parameter.requires_grad_(False)
        parameter.grad = None
    for parameter in network.get_submodule(head).parameters():
        parameter.requires_grad_(True)
