# ---
# about: Asks whether a parameter's name begins with the head's.
# fails:
#   test_freeze: "head 'head', all parameters learning before: requires_g"
# ---

# %% solution="freeze"
def freeze(network, head):
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name.startswith(head))
        parameter.grad = None
