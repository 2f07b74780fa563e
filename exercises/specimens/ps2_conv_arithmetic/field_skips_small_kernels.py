# ---
# about: "Passes over layers with a kernel of 1, and over their stride."
# fails:
#   test_receptive_field: Strides multiply
# ---

# %% solution="receptive_field"
def receptive_field(layers):
    field = jump = 1
    for layer in layers:
        if layer.kernel == 1:
            continue
        field += (layer.kernel - 1) * layer.dilation * jump
        jump *= layer.stride
    return field
