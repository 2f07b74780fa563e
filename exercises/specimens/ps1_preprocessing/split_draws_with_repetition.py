# ---
# about: "Test groups are drawn with repetition, so there can be too few of them."
# blind: true
# fails:
#   test_split_by_group: "Training comes first."
# ---

# %% solution="split_by_group"
def split_by_group(groups, test_groups, seed):
    """Positions of the training and of the test pictures; no group is in both."""
    generator = torch.Generator().manual_seed(seed)
    names = sorted(set(groups))
    picks = torch.randint(len(names), (test_groups,), generator=generator)
    chosen = {names[i] for i in picks.tolist()}
    train = [i for i, group in enumerate(groups) if group not in chosen]
    test = [i for i, group in enumerate(groups) if group in chosen]
    return train, test
