# ---
# about: Puts everything into training mode.
# fails:
#   test_set_mode: "the running mean of the frozen body moved from 0 to [0."
#   test_train: "one batch of 7: expected the losses"
# ---

# %% solution="set_mode"
def set_mode(network, head):
    """Training mode for the submodule called `head` (None: for everything), else evaluation."""
    network.train()
    if head is not None:
        network.get_submodule(head).train()
