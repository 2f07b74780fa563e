# ---
# about: Nothing but loops over numbers; slow, and right.
# ---

# %% solution="correlate2d"
def correlate2d(image, kernel):
    rows = image.size(0) - kernel.size(0) + 1
    columns = image.size(1) - kernel.size(1) + 1
    result = torch.zeros(rows, columns, dtype=image.dtype, device=image.device)
    for i in range(rows):
        for j in range(columns):
            for a in range(kernel.size(0)):
                for b in range(kernel.size(1)):
                    result[i, j] += image[i + a, j + b] * kernel[a, b]
    return result


# %% solution="conv2d"
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    images, _, height, width = x.shape
    rows = output_size(height, weight.shape[2], stride, padding, dilation)
    columns = output_size(width, weight.shape[3], stride, padding, dilation)
    values, weights = x.tolist(), weight.tolist()
    biases = [0] * len(weight) if bias is None else bias.tolist()
    result = x.new_empty(images, len(weight), rows, columns)
    for n, f, i, j in np.ndindex(*result.shape):
        total = biases[f]
        for c, a, b in np.ndindex(*weight.shape[1:]):
            row, column = i * stride + a * dilation - padding, j * stride + b * dilation - padding
            if 0 <= row < height and 0 <= column < width:
                total += values[n][c][row][column] * weights[f][c][a][b]
        result[n, f, i, j] = total
    return result


# %% solution="receptive_field"
def receptive_field(layers):
    jumps = [1]
    for layer in layers:
        jumps.append(jumps[-1] * layer.stride)
    steps = [layer.dilation * (layer.kernel - 1) for layer in layers]
    return 1 + sum(step * jump for step, jump in zip(steps, jumps, strict=False))
