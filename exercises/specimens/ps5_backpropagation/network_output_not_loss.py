# ---
# about: Starts from ones, so differentiates the network's output and not the loss.
# fails:
#   test_network_gradients: gradient of linear_bias
#   test_training: do all of part 3's tests pass
# ---

# %% solution="network_gradients"
def network_gradients(params, images, labels):
    cache = network_forward(params, images)
    loss, _ = softmax_cross_entropy(cache["logits"], labels)
    grad = torch.ones_like(cache["logits"])
    flat, weight = cache["pool"].flatten(1), params["linear_weight"]
    grad, linear_weight, linear_bias = linear_backward(grad, flat, weight)
    grad = max_pool2d_backward(grad.view_as(cache["pool"]), cache["tanh"], 2, 2)
    grad = tanh_backward(grad, cache["conv"])
    grad, conv_weight, conv_bias = conv2d_backward(grad, images, params["conv_weight"])
    parameters = {"conv_weight": conv_weight, "conv_bias": conv_bias}
    linear = {"linear_weight": linear_weight, "linear_bias": linear_bias}
    return loss, {"images": grad} | parameters | linear
