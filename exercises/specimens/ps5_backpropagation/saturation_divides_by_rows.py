# ---
# about: Divides by len(x), which is the number of rows and not of units if x isn't flat.
# blind: true
# fails:
#   test_saturated_fraction: "Compare the slope with it"
# ---

# %% solution="saturated_fraction"
def saturated_fraction(x, threshold=0.01):
    slope = 1 - torch.tanh(x) ** 2
    return (slope < threshold).sum().item() / len(x)
