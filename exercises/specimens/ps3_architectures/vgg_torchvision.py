# ---
# about: Calls torchvision where the width is that of the paper.
# fails:
#   test_vgg: does a step of yours (finished networks)
# ---

# %% solution="vgg"
def vgg(depth, classes=1000, batch_norm=False, width=64):
    import torchvision

    name = f"vgg{depth}_bn" if batch_norm else f"vgg{depth}"
    return getattr(torchvision.models, name)(num_classes=classes)
