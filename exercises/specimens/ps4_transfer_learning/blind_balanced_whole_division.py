# ---
# about: Divides with //, so a share that is neither 0 nor 1 becomes 0.
# blind: true
# fails:
#   test_balanced_accuracy: Average the classes
# ---

# %% solution="balanced_accuracy"
def balanced_accuracy(answers, labels):
    """The mean over the classes in `labels` of the share of right answers (a float)."""
    if len(labels) == 0:
        raise ValueError("no pictures")
    shares = []
    for c in labels.unique():
        of_class = labels == c
        hits = (answers[of_class] == c).sum()
        shares.append((hits // of_class.sum()).item())
    return float(sum(shares) / len(shares))
