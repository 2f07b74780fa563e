# ---
# about: Takes the batch norm layer out of the features of part 1.
# blind: true
# fails:
#   test_batch_norm_training: "does a step of yours (normalisation)"
#   test_batch_norm_running: "does a step of yours (normalisation)"
# ---

# %% solution="batch_norm_forward"
def batch_norm_forward(x, gamma, beta, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    with torch.device("meta"):
        layer_of_part_1 = type(features([1], 1, True)[1])
    layer = layer_of_part_1(len(gamma), eps=eps, momentum=momentum).to(x)
    layer.load_state_dict(
        {
            "weight": gamma,
            "bias": beta,
            "running_mean": running_mean,
            "running_var": running_var,
            "num_batches_tracked": torch.tensor(0),
        }
    )
    y = layer.train(training)(x).detach()
    return y, layer.running_mean, layer.running_var
