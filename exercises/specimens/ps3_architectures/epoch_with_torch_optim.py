# ---
# about: Leaves the steps to torch.optim.
# fails:
#   test_train_epoch: "does a step of yours (optimiser)"
#   test_training: "does a step of yours (optimiser)"
# ---

# %% solution="train_epoch"
def train_epoch(model, images, labels, memory, rate, seed):
    model.train()
    if "optimiser" not in memory:
        memory["optimiser"] = torch.optim.Adam(model.parameters(), lr=rate)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    for batch in order.split(16):
        memory["optimiser"].zero_grad()
        F.cross_entropy(model(images[batch]), labels[batch]).backward()
        memory["optimiser"].step()
