# ---
# about: unique_consecutive lists a class several times if the labels aren't sorted.
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
    for c in torch.unique_consecutive(labels):
        shares.append((answers[labels == c] == c).double().mean().item())
    return sum(shares) / len(shares)
