# ---
# about: Returns how many units are saturated, not which fraction.
# fails:
#   test_saturated_fraction: "expected 0.4"
# ---

# %% solution="saturated_fraction"
def saturated_fraction(x, threshold=0.01):
    return float((1 - torch.tanh(x) ** 2 < threshold).sum())
