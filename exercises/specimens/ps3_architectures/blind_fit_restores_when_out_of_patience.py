# ---
# about: Puts the best weights back only where patience has ended, not after the last epoch.
# blind: true
# fails:
#   test_fit: The best epoch, and of equal ones the first; state_dict() doesn't
# ---

# %% solution="fit"
def fit(model, train, measure, patience, most):
    losses, best, kept, bad = [], float("inf"), None, 0
    for epoch in range(most):
        train(model, epoch)
        losses.append(measure(model))
        if losses[-1] < best:
            best, bad = losses[-1], 0
            kept = copy.deepcopy(model.state_dict())
        else:
            bad += 1
            if bad == patience:
                model.load_state_dict(kept)
                break
    model.eval()
    return losses
