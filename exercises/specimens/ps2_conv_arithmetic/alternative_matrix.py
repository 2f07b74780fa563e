# ---
# about: "One product with a large matrix, which has the weights of each place in a row."
# ---

# %% solution="conv2d"
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    filters, channels, k_h, k_w = weight.shape
    height, width = x.shape[2:]
    rows = output_size(height, k_h, stride, padding, dilation)
    columns = output_size(width, k_w, stride, padding, dilation)
    matrix = x.new_zeros(filters, rows, columns, channels, height, width)
    for i, j, a, b in np.ndindex(rows, columns, k_h, k_w):
        row, column = i * stride + a * dilation - padding, j * stride + b * dilation - padding
        if 0 <= row < height and 0 <= column < width:
            matrix[:, i, j, :, row, column] = weight[:, :, a, b]
    y = x.flatten(1) @ matrix.flatten(0, 2).flatten(1).T
    y = y.unflatten(1, (filters, rows, columns))
    return y if bias is None else y + bias[:, None, None]
