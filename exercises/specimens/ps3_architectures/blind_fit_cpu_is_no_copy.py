# ---
# about: Keeps the values with cpu(), which copies nothing that is there already.
# blind: true
# fails:
#   test_fit: expected the weights of epoch 3
#   test_training: the kept weights have the loss
# ---

# %% solution="fit"
def fit(model, train, measure, patience, most):
    losses, best, kept, bad = [], float("inf"), None, 0
    for epoch in range(most):
        train(model, epoch)
        losses.append(measure(model))
        if losses[-1] < best:
            best, bad = losses[-1], 0
            kept = {name: value.cpu() for name, value in model.state_dict().items()}
        else:
            bad += 1
            if bad == patience:
                break
    if kept is not None:
        model.load_state_dict(kept)
    model.eval()
    return losses
