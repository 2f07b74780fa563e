# ---
# about: Walks from the output to the input in the order of the list.
# blind: true
# fails:
#   test_receptive_field: The pool adds 2 steps of 4 pixels
# ---

# %% solution="receptive_field"
def receptive_field(layers):
    field = 1
    for layer in layers:
        field = (field - 1) * layer.stride + layer.dilation * (layer.kernel - 1) + 1
    return field
