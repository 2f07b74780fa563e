# ---
# about: Keeps the best weights as a saved file in memory, and counts back to the best epoch.
# blind: true
# ---

# %% solution="fit"
def fit(model, train, measure, patience, most):
    import io

    losses, file, best = [], None, -1
    while len(losses) < most and len(losses) - 1 - best < patience:
        train(model, len(losses))
        losses.append(measure(model))
        if losses[-1] < min([loss for loss in losses[:-1] if loss == loss], default=float("inf")):
            best, file = len(losses) - 1, io.BytesIO()
            torch.save(model.state_dict(), file)
    if file is not None:
        file.seek(0)
        model.load_state_dict(torch.load(file))
    model.train(False)
    return losses
