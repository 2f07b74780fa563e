# ---
# about: Takes 'Lion' and 'lion' for one group.
# fails:
#   test_shared_groups: "expected ["
# ---

# %% solution="shared_groups"
def shared_groups(groups, train, test):
    """The groups that have a picture in `train` and one in `test` (lists of positions)."""
    groups = [str(group).lower() for group in groups]
    learned = {groups[i] for i in train}
    asked = {groups[j] for j in test}
    return [group for group in dict.fromkeys(groups) if group in learned and group in asked]
