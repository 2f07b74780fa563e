# ---
# about: Hands the max pool its own output where its input is meant.
# fails:
#   test_network_gradients: "six bars: RuntimeError: shape"
#   test_training: "12 bars: RuntimeError: shape"
# ---

# %% solution="network_gradients"
def network_gradients(params, images, labels):
    cache = network_forward(params, images)
    loss, grad = softmax_cross_entropy(cache["logits"], labels)
    flat, weight = cache["pool"].flatten(1), params["linear_weight"]
    grad, linear_weight, linear_bias = linear_backward(grad, flat, weight)
    grad = max_pool2d_backward(grad.view_as(cache["pool"]), cache["pool"], 2, 2)
    grad = tanh_backward(grad, cache["conv"])
    grad, conv_weight, conv_bias = conv2d_backward(grad, images, params["conv_weight"])
    parameters = {"conv_weight": conv_weight, "conv_bias": conv_bias}
    linear = {"linear_weight": linear_weight, "linear_bias": linear_bias}
    return loss, {"images": grad} | parameters | linear
