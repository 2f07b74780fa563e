# ---
# about: Splits the pictures at random, so that twins land on both sides.
# blind: true
# fails:
#   test_split_by_group: on both sides
# ---

# %% solution="split_by_group"
def split_by_group(groups, test_groups, seed):
    order = torch.randperm(len(groups), generator=torch.Generator().manual_seed(seed)).tolist()
    return sorted(order[test_groups:]), sorted(order[:test_groups])
