# ---
# about: Freezes linear layers and convolutions only; the weights of batch norms go on learning.
# blind: true
# fails:
#   test_freeze: " "
# ---

# %% solution="freeze"
def freeze(network, head):
    """Let only the parameters of the submodule called `head` learn; in place."""
    for p in network.parameters():
        p.grad = None
    for layer in network.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            layer.requires_grad_(False)
    network.get_submodule(head).requires_grad_(True)
