# ---
# about: Orders by the first occurrence among the used pictures, not by the first occurrence in
#   groups.
# blind: true
# fails:
#   test_shared_groups: for groups
# ---

# %% solution="shared_groups"
def shared_groups(groups, train, test):
    """The groups that have a picture in `train` and one in `test` (lists of positions)."""
    both = {groups[i] for i in train} & {groups[j] for j in test}
    used = sorted(set(train) | set(test))
    return list(dict.fromkeys(groups[p] for p in used if groups[p] in both))
