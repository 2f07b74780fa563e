# ---
# about: With head None everything goes into evaluation mode.
# blind: true
# fails:
#   test_set_mode: 'head None, network in evaluation mode before: training of th'
#   test_train: epochs, one batch of
# ---

# %% solution="set_mode"
def set_mode(network, head):
    """Training mode for the submodule called `head` (None: for everything), else evaluation."""
    network.eval()
    if head is not None:
        network.get_submodule(head).train()
