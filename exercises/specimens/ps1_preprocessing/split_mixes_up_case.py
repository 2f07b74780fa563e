# ---
# about: "Takes Cat and cat for one group, and fails for numbers."
# blind: true
# fails:
#   test_split_by_group: split_by_group
# ---

# %% solution="split_by_group"
def split_by_group(groups, test_groups, seed):
    """Positions of the training and of the test pictures; no group is in both."""
    groups = [group.lower() for group in groups]
    names = sorted(set(groups))
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(names), generator=generator).tolist()
    chosen = {names[i] for i in order[:test_groups]}
    train = [i for i, group in enumerate(groups) if group not in chosen]
    test = [i for i, group in enumerate(groups) if group in chosen]
    return train, test
