# ---
# about: Leaves the dilation out.
# blind: true
# fails:
#   test_receptive_field: Taps lie 4 pixels apart
# ---

# %% solution="receptive_field"
def receptive_field(layers):
    field, jump = 1, 1
    for layer in layers:
        field += (layer.kernel - 1) * jump
        jump *= layer.stride
    return field
