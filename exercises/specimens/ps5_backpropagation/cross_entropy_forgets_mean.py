# ---
# about: The loss is a mean, but its gradient is that of the sum; 1/N is forgotten.
# fails:
#   test_softmax_cross_entropy: every row is divided by N
#   test_network_gradients: gradient of linear_bias
#   test_training: do all of part 3's tests pass
# ---

# %% solution="softmax_cross_entropy"
def softmax_cross_entropy(logits, labels):
    rows = torch.arange(len(labels), device=labels.device)
    log_p = torch.log_softmax(logits, dim=1)
    grad = log_p.exp()
    grad[rows, labels] -= 1
    return -log_p[rows, labels].mean(), grad
