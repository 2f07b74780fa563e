# ---
# about: "Right: balanced accuracy with two counters."
# blind: true
# ---

# %% solution="balanced_accuracy"
from collections import Counter


def balanced_accuracy(answers, labels):
    """The mean over the classes in `labels` of the share of right answers (a float)."""
    said, truth = answers.tolist(), labels.tolist()
    if not truth:
        raise ValueError("no pictures")
    pictures = Counter(truth)
    right = Counter(t for s, t in zip(said, truth) if s == t)
    return sum(right[c] / pictures[c] for c in pictures) / len(pictures)
