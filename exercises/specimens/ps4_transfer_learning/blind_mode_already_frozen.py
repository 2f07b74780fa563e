# ---
# about: Leaves the body alone if the network is in evaluation mode already, though a block
#   inside may be in training mode.
# blind: true
# fails:
#   test_set_mode: 'network in evaluation mode before: training of'
# ---

# %% solution="set_mode"
def set_mode(network, head):
    """Training mode for the submodule called `head` (None: for everything), else evaluation."""
    if head is None:
        network.train()
        return
    if network.training:
        network.eval()
    network.get_submodule(head).train()
