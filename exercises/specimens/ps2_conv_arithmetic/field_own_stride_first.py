# ---
# about: "Multiplies by a layer's stride before it adds the layer's steps."
# blind: true
# fails:
#   test_receptive_field: its own stride widens the views behind it only
# ---

# %% solution="receptive_field"
def receptive_field(layers):
    field, jump = 1, 1
    for layer in layers:
        jump = jump * layer.stride
        field = field + layer.dilation * (layer.kernel - 1) * jump
    return field
