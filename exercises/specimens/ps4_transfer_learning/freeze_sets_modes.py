# ---
# about: Puts the body into evaluation mode, too, which is the next task's.
# fails:
#   test_freeze: "the mode of"
# ---

# %% solution="freeze"
def freeze(network, head):
    """Let only the parameters of the submodule called `head` learn; in place."""
    network.eval()
    network.get_submodule(head).train()
    for parameter in network.parameters():
        parameter.requires_grad_(False)
        parameter.grad = None
    for parameter in network.get_submodule(head).parameters():
        parameter.requires_grad_(True)
