# ---
# about: Switches on the head's own parameters and those of its direct layers, not those of
#   blocks inside the block.
# blind: true
# fails:
#   test_freeze: requires_grad of
# ---

# %% solution="freeze"
def freeze(network, head):
    """Let only the parameters of the submodule called `head` learn; in place."""
    for p in network.parameters():
        p.requires_grad_(False)
        p.grad = None
    block = network.get_submodule(head)
    for layer in [block, *block.children()]:
        for p in layer.parameters(recurse=False):
            p.requires_grad_(True)
