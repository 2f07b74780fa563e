# ---
# about: A helper turns channels into pictures, so that layer norm normalises them.
# fails:
#   test_batch_norm_training: "does a step of yours (normalisation)"
#   test_batch_norm_running: "does a step of yours (normalisation)"
# ---

# %% solution="batch_norm_forward"
def normalised(flat, eps):
    return F.layer_norm(flat, flat.shape[1:], None, None, eps)


def batch_norm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    flat = x.transpose(0, 1).flatten(1)
    if training:
        normal = normalised(flat, eps)
        running_mean = (1 - momentum) * running_mean + momentum * flat.mean(1)
        running_var = (1 - momentum) * running_var + momentum * flat.var(1)
    else:
        normal = (flat - running_mean[:, None]) / torch.sqrt(running_var + eps)[:, None]
    turned = normal.reshape(x.transpose(0, 1).shape).transpose(0, 1)
    return turned * gamma[:, None, None] + beta[:, None, None], running_mean, running_var
