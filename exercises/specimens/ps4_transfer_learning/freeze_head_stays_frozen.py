# ---
# about: Never lets the head learn again.
# fails:
#   test_freeze: "expected the head '1' to learn, not []"
#   test_transfer: "got an empty parameter list"
# ---

# %% solution="freeze"
def freeze(network, head):
    """Let only the parameters of the submodule called `head` learn; in place."""
    for parameter in network.parameters():
        parameter.requires_grad_(False)
        parameter.grad = None
