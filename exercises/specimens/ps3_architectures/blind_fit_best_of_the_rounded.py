# ---
# about: Rounds the losses to four digits before it compares.
# blind: true
# fails:
#   test_fit: expected the list
# ---

# %% solution="fit"
def fit(model, train, measure, patience, most):
    losses, best, kept, bad = [], float("inf"), None, 0
    for epoch in range(most):
        train(model, epoch)
        losses.append(measure(model))
        if round(losses[-1], 4) < round(best, 4):
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
