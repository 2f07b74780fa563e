# ---
# about: Autograd under another name through F.max_pool3d.
# blind: true
# fails:
#   test_max_pool_backward: "write that step yourself"
#   test_max_pool_overlap: "write that step yourself"
#   test_network_gradients: "write that step yourself"
#   test_training: "write that step yourself"
# ---

# %% solution="max_pool2d_backward"
from torch import set_grad_enabled as switch
from torch.autograd import grad as derive


def max_pool2d_backward(grad_y, x, kernel, stride):
    with switch(True):
        leaf = torch.zeros_like(x, requires_grad=True)
        y = F.max_pool3d(leaf + x, (1, kernel, kernel), (1, stride, stride))
        return derive(y, leaf, grad_y)[0]
