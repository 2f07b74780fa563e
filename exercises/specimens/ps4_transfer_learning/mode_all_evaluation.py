# ---
# about: Puts the head into training mode first, and then everything into evaluation mode.
# fails:
#   test_set_mode: "The head has to be in training mode."
# ---

# %% solution="set_mode"
def set_mode(network, head):
    if head is not None:
        network.get_submodule(head).train()
        network.eval()
    else:
        network.train()
