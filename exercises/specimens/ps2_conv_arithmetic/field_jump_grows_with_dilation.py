# ---
# about: "It multiplies the jump by the dilation too, as if that moved the units apart."
# blind: true
# fails:
#   test_receptive_field: Strides multiply
# ---

# %% solution="receptive_field"
def receptive_field(layers):
    """How many input pixels along one axis a unit behind these layers depends on (int)."""
    field = jump = 1
    for kernel, stride, dilation in layers:
        field += (kernel - 1) * dilation * jump
        jump *= stride * dilation
    return field
