# ---
# about: The gradients are float64 whatever comes in.
# blind: true
# fails:
#   test_network_gradients: "expected torch.float32"
# ---

# %% solution="network_gradients"
def network_gradients(params, images, labels):
    cache = network_forward(params, images)
    loss, grad_logits = softmax_cross_entropy(cache["logits"], labels)
    flat = cache["pool"].flatten(1)
    grad_flat, grad_lw, grad_lb = linear_backward(grad_logits, flat, params["linear_weight"])
    grad_pool = grad_flat.reshape(cache["pool"].shape)
    grad_tanh = max_pool2d_backward(grad_pool, cache["tanh"], 2, 2)
    grad_conv = tanh_backward(grad_tanh, cache["conv"])
    grad_images, grad_cw, grad_cb = conv2d_backward(grad_conv, images, params["conv_weight"])
    return loss, {
        "conv_weight": grad_cw.double(),
        "conv_bias": grad_cb.double(),
        "linear_weight": grad_lw,
        "linear_bias": grad_lb,
        "images": grad_images.double(),
    }
