# ---
# about: "It starts with the reach of the first layer, and so stumbles over a stack without layers."
# blind: true
# fails:
#   test_receptive_field: IndexError
# ---

# %% solution="receptive_field"
def receptive_field(layers):
    """How many input pixels along one axis a unit behind these layers depends on (int)."""
    first = layers[0]
    field = first.dilation * (first.kernel - 1) + 1
    jump = first.stride
    for layer in layers[1:]:
        field += layer.dilation * (layer.kernel - 1) * jump
        jump *= layer.stride
    return field
