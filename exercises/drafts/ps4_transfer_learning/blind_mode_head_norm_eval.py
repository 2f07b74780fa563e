# ---
# about: Batch norms inside the head are put into evaluation mode as well.
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
    network.eval()
    block = network.get_submodule(head)
    block.train()
    for layer in block.modules():
        if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
            layer.eval()  # running statistics must not move
