# ---
# about: "Right: sets the flag of each layer by whether it lies in the head."
# blind: true
# ---

# %% solution="set_mode"
def set_mode(network, head):
    """Training mode for the submodule called `head` (None: for everything), else evaluation."""
    top = network if head is None else network.get_submodule(head)
    inside = set(top.modules())
    for layer in network.modules():
        layer.training = layer in inside
