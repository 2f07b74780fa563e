# ---
# about: Freezes only batch norms that have weights.
# fails:
#   test_set_mode: "head '2', network in training mode before: training of"
# ---

# %% solution="set_mode"
def set_mode(network, head):
    network.train()
    if head is None:
        return
    for layer in network.modules():
        if getattr(layer, "affine", False):
            layer.eval()
    network.get_submodule(head).train()
