# ---
# about: Compares the output's distance from 1 with the threshold, where the slope is meant.
# fails:
#   test_saturated_fraction: "expected"
# ---

# %% solution="saturated_fraction"
def saturated_fraction(x, threshold=0.01):
    return (1 - torch.tanh(x).abs() < threshold).double().mean().item()
