# ---
# about: Loops over all class numbers up to the largest label and gives a class without a
#   picture the share 0.
# blind: true
# fails:
#   test_balanced_accuracy: Average the classes
# ---

# %% solution="balanced_accuracy"
def balanced_accuracy(answers, labels):
    """The mean over the classes in `labels` of the share of right answers (a float)."""
    if len(labels) == 0:
        raise ValueError("no pictures")
    classes = int(labels.max()) + 1
    total = 0.0
    for c in range(classes):
        of_class = labels == c
        hits = (answers[of_class] == c).sum().item()
        total += hits / max(of_class.sum().item(), 1)
    return total / classes
