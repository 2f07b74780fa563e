# ---
# about: Puts the children into evaluation mode, but not the network itself.
# blind: true
# fails:
#   test_set_mode: " "
# ---

# %% solution="set_mode"
def set_mode(network, head):
    """Training mode for the submodule called `head` (None: for everything), else evaluation."""
    if head is None:
        network.train()
        return
    for child in network.children():
        child.eval()
    network.get_submodule(head).train()
