# ---
# about: Leaves old gradients, which an optimiser goes on using.
# fails:
#   test_freeze: "head 'head', all parameters learning before: body.0.wei"
# ---

# %% solution="freeze"
def freeze(network, head):
    """Let only the parameters of the submodule called `head` learn; in place."""
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    for parameter in network.get_submodule(head).parameters():
        parameter.requires_grad_(True)
