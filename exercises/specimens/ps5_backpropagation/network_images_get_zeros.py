# ---
# about: Images are data and not parameters, so their gradient is taken to be zero.
# blind: true
# fails:
#   test_network_gradients: "return the convolution's grad_x"
# ---

# %% solution="network_gradients"
def network_gradients(params, images, labels):
    cache = network_forward(params, images)
    loss, grad = softmax_cross_entropy(cache["logits"], labels)
    flat = cache["pool"].flatten(1)
    grad, linear_weight, linear_bias = linear_backward(grad, flat, params["linear_weight"])
    grad = grad.reshape(cache["pool"].shape)
    grad = max_pool2d_backward(grad, cache["tanh"], 2, 2)
    grad = tanh_backward(grad, cache["conv"])
    grad, conv_weight, conv_bias = conv2d_backward(grad, images, params["conv_weight"])
    return loss, {
        "images": torch.zeros_like(grad),
        "conv_weight": conv_weight,
        "conv_bias": conv_bias,
        "linear_weight": linear_weight,
        "linear_bias": linear_bias,
    }
