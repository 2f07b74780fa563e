# ---
# about: Goes by the names of the parameters, and so freezes a weight that the head shares with the body.
# blind: true
# fails:
#   test_freeze: " "
# ---

# %% solution="freeze"
def freeze(network, head):
    """Let only the parameters of the submodule called `head` learn; in place."""
    for name, p in network.named_parameters():
        p.requires_grad = name.startswith(head + ".")
        p.grad = None
