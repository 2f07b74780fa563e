# ---
# about: Only the batch norms of the body go into evaluation mode; its dropout goes on.
# blind: true
# fails:
#   test_set_mode: " "
# ---

# %% solution="set_mode"
def set_mode(network, head):
    """Training mode for the submodule called `head` (None: for everything), else evaluation."""
    network.train()
    if head is not None:
        for layer in network.modules():
            if isinstance(layer, nn.modules.batchnorm._BatchNorm):
                layer.eval()
        network.get_submodule(head).train()
