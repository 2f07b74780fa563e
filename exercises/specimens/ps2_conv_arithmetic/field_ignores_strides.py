# ---
# about: Adds up the kernels, as if every stride were 1.
# blind: true
# fails:
#   test_receptive_field: The pool adds 2 steps of 4 pixels
# ---

# %% solution="receptive_field"
def receptive_field(layers):
    return 1 + sum(layer.dilation * (layer.kernel - 1) for layer in layers)
