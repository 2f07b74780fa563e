# ---
# about: Measures once for the list and once to compare.
# blind: true
# fails:
#   test_fit: once each, from 0
# ---

# %% solution="fit"
def fit(model, train, measure, patience, most):
    losses, best, kept, bad = [], float("inf"), None, 0
    for epoch in range(most):
        train(model, epoch)
        losses.append(measure(model))
        loss = measure(model)
        if loss < best:
            best, bad = loss, 0
            kept = copy.deepcopy(model.state_dict())
        else:
            bad += 1
            if bad == patience:
                break
    if kept is not None:
        model.load_state_dict(kept)
    model.eval()
    return losses
