# ---
# about: Sets old gradients to zeros instead of None, so an optimiser with momentum or weight decay goes on.
# blind: true
# fails:
#   test_freeze: " "
# ---

# %% solution="freeze"
def freeze(network, head):
    """Let only the parameters of the submodule called `head` learn; in place."""
    network.zero_grad(set_to_none=False)
    for p in network.parameters():
        p.requires_grad_(False)
    for p in network.get_submodule(head).parameters():
        p.requires_grad_(True)
