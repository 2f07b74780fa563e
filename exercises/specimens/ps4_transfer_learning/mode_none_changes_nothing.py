# ---
# about: Does nothing if there is no head to look for.
# fails:
#   test_set_mode: "head None, network in evaluation mode before: training"
# ---

# %% solution="set_mode"
def set_mode(network, head):
    """Training mode for the submodule called `head` (None: for everything), else evaluation."""
    if head is not None:
        network.eval()
        network.get_submodule(head).train()
