# ---
# about: Lets a dilation widen the jump, as a stride does.
# blind: true
# fails:
#   test_receptive_field: "Strides multiply: the jump is the product of all strides before a layer"
# ---

# %% solution="receptive_field"
def receptive_field(layers):
    field, jump = 1, 1
    for layer in layers:
        jump *= layer.dilation
        field += (layer.kernel - 1) * jump
        jump *= layer.stride
    return field
