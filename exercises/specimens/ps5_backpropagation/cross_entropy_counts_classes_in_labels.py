# ---
# about: Lets one_hot guess the number of classes, which fails if no image has the last class.
# blind: true
# fails:
#   test_softmax_cross_entropy: "must match the size"
#   test_network_gradients: "gradient of linear_bias"
# ---

# %% solution="softmax_cross_entropy"
def softmax_cross_entropy(logits, labels):
    log_p = torch.log_softmax(logits, dim=1)
    onehot = F.one_hot(labels).to(logits.dtype)
    columns = onehot.shape[1]
    loss = -(log_p[:, :columns] * onehot).sum(dim=1).mean()
    return loss, (log_p.exp() - onehot) / len(labels)
