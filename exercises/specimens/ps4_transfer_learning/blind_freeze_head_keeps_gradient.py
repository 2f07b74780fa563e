# ---
# about: Clears the gradients of the frozen parameters only; the head keeps an old one.
# blind: true
# fails:
#   test_freeze: 'head ''head'', all parameters learning before: head'
# ---

# %% solution="freeze"
def freeze(network, head):
    """Let only the parameters of the submodule called `head` learn; in place."""
    learning = {id(p) for p in network.get_submodule(head).parameters()}
    for p in network.parameters():
        if id(p) in learning:
            p.requires_grad = True
        else:
            p.requires_grad = False
            p.grad = None
