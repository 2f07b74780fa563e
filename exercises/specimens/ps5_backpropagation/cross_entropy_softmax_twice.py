# ---
# about: Takes the log-softmax of what is a softmax already.
# fails:
#   test_softmax_cross_entropy: "expected"
#   test_network_gradients: "loss"
#   test_training: "step 0: expected a loss of"
# ---

# %% solution="softmax_cross_entropy"
def softmax_cross_entropy(logits, labels):
    log_p = torch.log_softmax(torch.softmax(logits, dim=1), dim=1)
    onehot = F.one_hot(labels, logits.shape[1])
    return -(log_p * onehot).sum(dim=1).mean(), (log_p.exp() - onehot) / len(labels)
