# ---
# about: Sets the flag of the head itself only, so the layers inside a block stay in evaluation mode.
# blind: true
# fails:
#   test_set_mode: " "
# ---

# %% solution="set_mode"
def set_mode(network, head):
    """Training mode for the submodule called `head` (None: for everything), else evaluation."""
    if head is None:
        network.train()
    else:
        network.eval()
        network.get_submodule(head).training = True
