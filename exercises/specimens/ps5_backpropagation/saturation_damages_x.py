# ---
# about: x.tanh_() makes the caller's x the layer's output.
# blind: true
# fails:
#   test_saturated_fraction: "an input was changed"
# ---

# %% solution="saturated_fraction"
def saturated_fraction(x, threshold=0.01):
    return (1 - x.tanh_() ** 2 < threshold).double().mean().item()
