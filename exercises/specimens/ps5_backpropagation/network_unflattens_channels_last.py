# ---
# about: Undoes the flattening as if the channels came last; the shape is right, the places are not.
# blind: true
# fails:
#   test_network_gradients: "look at the reshape"
#   test_training: "expected a loss of"
# ---

# %% solution="network_gradients"
def network_gradients(params, images, labels):
    cache = network_forward(params, images)
    loss, grad = softmax_cross_entropy(cache["logits"], labels)
    flat = cache["pool"].flatten(1)
    grad, linear_weight, linear_bias = linear_backward(grad, flat, params["linear_weight"])
    grad = grad.reshape(-1, 3, 3, 4).permute(0, 3, 1, 2)
    grad = max_pool2d_backward(grad, cache["tanh"], 2, 2)
    grad = tanh_backward(grad, cache["conv"])
    grad, conv_weight, conv_bias = conv2d_backward(grad, images, params["conv_weight"])
    return loss, {
        "images": grad,
        "conv_weight": conv_weight,
        "conv_bias": conv_bias,
        "linear_weight": linear_weight,
        "linear_bias": linear_bias,
    }
