# ---
# about: Of no pictures it returns nan instead of raising a ValueError.
# blind: true
# fails:
#   test_balanced_accuracy: expected a ValueError
# ---

# %% solution="balanced_accuracy"
def balanced_accuracy(answers, labels):
    """The mean over the classes in `labels` of the share of right answers (a float)."""
    shares = [(answers[labels == c] == c).double().mean().item() for c in labels.unique()]
    return torch.tensor(shares, dtype=torch.float64).mean().item()
