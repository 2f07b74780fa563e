# ---
# about: With head None the network stays in the mode in which it was.
# blind: true
# fails:
#   test_set_mode: " "
# ---

# %% solution="set_mode"
def set_mode(network, head):
    """Training mode for the submodule called `head` (None: for everything), else evaluation."""
    if head is None:
        return
    network.eval()
    network.get_submodule(head).train()
