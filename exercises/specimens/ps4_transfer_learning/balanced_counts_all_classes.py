# ---
# about: Takes every number up to the largest label for a class; one without a picture has the
#   share 0.
# fails:
#   test_balanced_accuracy: "Classes that are not in labels don't count."
# ---

# %% solution="balanced_accuracy"
def balanced_accuracy(answers, labels):
    """The mean over the classes in `labels` of the share of right answers (a float).

    answers, labels: whole numbers (N,), the class said and the right class of each picture.
    """
    if len(labels) == 0:
        raise ValueError("no pictures: there is nothing to take a share of")
    shares = [
        (answers[labels == c] == c).double().sum() / max(1, (labels == c).sum())
        for c in range(int(labels.max()) + 1)
    ]
    return torch.stack(shares).mean().item()
