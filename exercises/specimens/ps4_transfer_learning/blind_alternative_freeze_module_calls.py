# ---
# about: "Right: freeze with the calls of nn.Module only."
# blind: true
# ---

# %% solution="freeze"
def freeze(network, head):
    """Let only the parameters of the submodule called `head` learn; in place."""
    network.zero_grad(set_to_none=True)
    network.requires_grad_(False)
    network.get_submodule(head).requires_grad_(True)
