# ---
# about: A class that occurs only among the answers counts too, with the share 0.
# blind: true
# fails:
#   test_balanced_accuracy: Average the classes
# ---

# %% solution="balanced_accuracy"
def balanced_accuracy(answers, labels):
    """The mean over the classes in `labels` of the share of right answers (a float)."""
    if len(labels) == 0:
        raise ValueError("no pictures")
    classes = set(labels.tolist()) | set(answers.tolist())
    shares = []
    for c in classes:
        of_class = labels == c
        if of_class.any():
            shares.append((answers[of_class] == c).double().mean().item())
        else:
            shares.append(0.0)
    return sum(shares) / len(shares)
