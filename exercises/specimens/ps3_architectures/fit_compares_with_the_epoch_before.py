# ---
# about: Compares with the epoch before, not with the best.
# fails:
#   test_fit: expected the list
# ---

# %% solution="fit"
def fit(model, train, measure, patience, most):
    """Train until `patience` epochs bring nothing; model becomes its best; validation losses."""
    losses, kept, waited = [], None, 0
    for epoch in range(most):
        train(model, epoch)
        losses.append(measure(model))
        if len(losses) < 2 or losses[-1] < losses[-2]:
            waited = 0
            kept = copy.deepcopy(model.state_dict())
        else:
            waited += 1
        if waited == patience:
            break
    model.load_state_dict(kept)
    model.eval()
    return losses
