# ---
# about: Uses the stride of the layer before only, not the product of all.
# blind: true
# fails:
#   test_receptive_field: Strides multiply
# ---

# %% solution="receptive_field"
def receptive_field(layers):
    field, jump = 1, 1
    for kernel, stride, dilation in layers:
        field += dilation * (kernel - 1) * jump
        jump = stride
    return field
