# ---
# about: Compares the beginnings of names, so with the head 1 the block 10 learns, too.
# blind: true
# fails:
#   test_freeze: requires_grad of
# ---

# %% solution="freeze"
def freeze(network, head):
    """Let only the parameters of the submodule called `head` learn; in place."""
    for name, p in network.named_parameters():
        p.requires_grad = name.startswith(head)
        p.grad = None
