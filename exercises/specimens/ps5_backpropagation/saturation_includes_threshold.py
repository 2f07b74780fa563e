# ---
# about: A slope that equals the threshold counts too, where the text says strictly below.
# blind: true
# fails:
#   test_saturated_fraction: "Strictly below"
# ---

# %% solution="saturated_fraction"
def saturated_fraction(x, threshold=0.01):
    slope = 1 - torch.tanh(x) ** 2
    return (slope <= threshold).double().mean().item()
