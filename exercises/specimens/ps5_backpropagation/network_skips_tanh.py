# ---
# about: Goes from the pool straight to the convolution; one factor of the chain is forgotten.
# fails:
#   test_network_gradients: look at the reshape, the pool and tanh
#   test_training: expected a loss of
# ---

# %% solution="network_gradients"
def network_gradients(params, images, labels):
    cache = network_forward(params, images)
    loss, grad = softmax_cross_entropy(cache["logits"], labels)
    flat, weight = cache["pool"].flatten(1), params["linear_weight"]
    grad, linear_weight, linear_bias = linear_backward(grad, flat, weight)
    grad = max_pool2d_backward(grad.view_as(cache["pool"]), cache["tanh"], 2, 2)
    grad, conv_weight, conv_bias = conv2d_backward(grad, images, params["conv_weight"])
    parameters = {"conv_weight": conv_weight, "conv_bias": conv_bias}
    linear = {"linear_weight": linear_weight, "linear_bias": linear_bias}
    return loss, {"images": grad} | parameters | linear
