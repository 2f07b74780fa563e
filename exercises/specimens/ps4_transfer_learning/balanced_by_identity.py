# ---
# about: Keeps the classes of a tensor that it has seen, though its numbers have changed.
# fails:
#   test_balanced_accuracy: "labels 3, 3, 3"
# ---

# %% solution="balanced_accuracy"
_SEEN = []


def balanced_accuracy(answers, labels):
    """The mean over the classes in `labels` of the share of right answers (a float)."""
    if len(labels) == 0:
        raise ValueError("no pictures: there is nothing to take a share of")
    classes = next((kept for known, kept in _SEEN if known is labels), None)
    if classes is None:
        classes = labels.unique()
        _SEEN.append((labels, classes))
    shares = [(answers[labels == c] == c).double().mean() for c in classes]
    return torch.stack(shares).mean().item()
