# ---
# about: "By the convolution theorem: a product of Fourier transforms."
# ---

# %% solution="conv2d"
def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    k_h, k_w = weight.shape[2:]
    rows = output_size(x.shape[2], k_h, stride, padding, dilation)
    columns = output_size(x.shape[3], k_w, stride, padding, dilation)
    x = F.pad(x, (padding,) * 4)
    spread = x.new_zeros(*weight.shape[:2], *x.shape[2:])
    high, wide = dilation * (k_h - 1) + 1, dilation * (k_w - 1) + 1
    spread[:, :, :high:dilation, :wide:dilation] = weight
    waves = torch.einsum("ncyx,fcyx->nfyx", torch.fft.rfft2(x), torch.fft.rfft2(spread).conj())
    y = torch.fft.irfft2(waves, s=x.shape[2:])[:, :, ::stride, ::stride][:, :, :rows, :columns]
    return y if bias is None else y + bias[:, None, None]
