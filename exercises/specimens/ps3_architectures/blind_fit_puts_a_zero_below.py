# ---
# about: Begins with a best loss of 1000, so that larger losses are no improvement.
# blind: true
# fails:
#   test_fit: The best epoch, and of equal ones the first; state_dict() doesn't
# ---

# %% solution="fit"
def fit(model, train, measure, patience, most):
    losses, best, kept, bad = [], 1000.0, None, 0
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
