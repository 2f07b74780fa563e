# ---
# about: Counts large positive inputs only; tanh saturates at both ends.
# fails:
#   test_saturated_fraction: the units at -4 and at 4 are both saturated
# ---

# %% solution="saturated_fraction"
def saturated_fraction(x, threshold=0.01):
    return (x > math.atanh(math.sqrt(max(0, 1 - threshold)))).double().mean().item()
