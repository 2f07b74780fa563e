# ---
# about: Freezes what it puts into evaluation mode, and lets the head learn.
# fails:
#   test_set_mode: "requires_grad of"
# ---

# %% solution="set_mode"
def set_mode(network, head):
    """Training mode for the submodule called `head` (None: for everything), else evaluation."""
    network.train(head is None)
    network.requires_grad_(head is None)
    if head is not None:
        network.get_submodule(head).train()
        network.get_submodule(head).requires_grad_(True)
