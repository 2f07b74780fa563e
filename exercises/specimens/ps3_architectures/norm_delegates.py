# ---
# about: Calls PyTorch for the normalised batch.
# fails:
#   test_batch_norm_training: does a step of yours (normalisation)
#   test_batch_norm_running: does a step of yours (normalisation)
# ---

# %% solution="batch_norm_forward"
def batch_norm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    mean, var = running_mean.clone(), running_var.clone()
    y = F.batch_norm(x, mean, var, gamma, beta, training, momentum, eps)
    return y, mean, var
