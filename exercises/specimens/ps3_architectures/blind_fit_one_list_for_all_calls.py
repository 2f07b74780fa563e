# ---
# about: Collects the losses in a default value, which the next call continues.
# blind: true
# fails:
#   test_fit: expected the list
#   test_training: the photographs of seed
# ---

# %% solution="fit"
def fit(model, train, measure, patience, most, losses=[]):  # noqa: B006
    best, kept, bad = float("inf"), None, 0
    for epoch in range(most):
        train(model, epoch)
        losses.append(measure(model))
        if losses[-1] < best:
            best, bad = losses[-1], 0
            kept = copy.deepcopy(model.state_dict())
        else:
            bad += 1
            if bad == patience:
                break
    if kept is not None:
        model.load_state_dict(kept)
    model.eval()
    return losses
