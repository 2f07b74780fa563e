# ---
# about: Freezes only what comes first in the network.
# fails:
#   test_freeze: "head 'head', all parameters learning before: requires_g"
# ---

# %% solution="freeze"
def freeze(network, head):
    """Let only the parameters of the submodule called `head` learn; in place."""
    for parameter in next(network.children()).parameters():
        parameter.requires_grad_(False)
        parameter.grad = None
    for parameter in network.get_submodule(head).parameters():
        parameter.requires_grad_(True)
