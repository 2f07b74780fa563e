# ---
# about: "It takes the layers out of the caller's list with pop, so that a second call sees none."
# blind: true
# fails:
#   test_receptive_field: an input was changed
# ---

# %% solution="receptive_field"
def receptive_field(layers):
    """How many input pixels along one axis a unit behind these layers depends on (int)."""
    field, jump = 1, 1
    while layers:
        layer = layers.pop(0)
        field += (layer.kernel - 1) * layer.dilation * jump
        jump *= layer.stride
    return field
