# ---
# about: Only switches off the body; a head that was frozen before stays frozen.
# blind: true
# fails:
#   test_freeze: " "
# ---

# %% solution="freeze"
def freeze(network, head):
    """Let only the parameters of the submodule called `head` learn; in place."""
    learning = {id(p) for p in network.get_submodule(head).parameters()}
    for p in network.parameters():
        p.grad = None
        if id(p) not in learning:
            p.requires_grad_(False)
