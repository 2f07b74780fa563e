# ---
# about: Leaves the model with the weights of the last epoch.
# fails:
#   test_fit: expected the weights of epoch 3
#   test_training: the kept weights have the loss
# ---

# %% solution="fit"
def fit(model, train, measure, patience, most):
    """Train until `patience` epochs bring nothing; model becomes its best; validation losses."""
    losses, best, waited = [], float("inf"), 0
    for epoch in range(most):
        train(model, epoch)
        losses.append(measure(model))
        if losses[-1] < best:
            best, waited = losses[-1], 0
        else:
            waited += 1
        if waited == patience:
            break
    model.eval()
    return losses
