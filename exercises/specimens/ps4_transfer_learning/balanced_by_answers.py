# ---
# about: Averages over what was answered, not over the right classes.
# fails:
#   test_balanced_accuracy: "always mammal: expected 0.5000, got 0.7500. All mammals"
# ---

# %% solution="balanced_accuracy"
def balanced_accuracy(answers, labels):
    """The mean over the classes in `labels` of the share of right answers (a float).

    answers, labels: whole numbers (N,), the class said and the right class of each picture.
    """
    if len(labels) == 0:
        raise ValueError("no pictures: there is nothing to take a share of")
    shares = [(labels[answers == c] == c).double().mean() for c in answers.unique()]
    return torch.stack(shares).mean().item()
