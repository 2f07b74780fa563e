# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 2 · Convolution arithmetic
#
# How large is the output? How many parameters? How much of the photograph does one number
# depend on? By the end of this lecture you will answer all three with a pencil.
#
# **You will be able to**
#
# - compute one number of a convolution by hand: products, their sum, a bias;
# - compute the output size of any convolution or pooling layer, and say why some settings fail;
# - tell three conventions for rounding apart, and know which one your library follows;
# - count parameters and multiply-adds, and compare them with a dense layer's;
# - find the receptive field of a unit in a stack of layers, and measure it;
# - explain why so many networks are built of 3×3 kernels, and what that costs.
#
# **Time**: 75 minutes, with the explorers. **You need**: tensors and `torch.nn` layers.
# **Exercise**: `ps2_conv_arithmetic`.
#
# Claims are labelled: *settled* (arithmetic, or agreed on), *contested* (good people disagree),
# *rule of thumb* (often true; check it).
#
# **Where we are.** Lecture 1 brought the picture to the first layer. This lecture opens that layer,
# and says with a pencil what comes out and what it costs. Lecture 3 stacks such layers.
#
# **Before you begin**, three questions about lecture 1. Answer them before you open the fold.
#
# 1. Why must all pictures of a batch have one size?
# 2. Red and blue are swapped. Which error message do you get?
# 3. You augment pictures first and split them afterwards. What is wrong?
#
# <details><summary>Answers</summary>
#
# 1. A batch is one tensor, and a tensor has one shape.
# 2. None. The shapes fit, and only the answers get worse.
# 3. A test picture's changed copy may be among the training pictures: the accuracy is too high.
#
# </details>

# %%
import torch
import torch.nn.functional as F
from torch import nn

from course_utils.arithmetic import Conv, Dense, Pool, ShapeError
from course_utils.arithmetic import output_size, same_padding, table, trace
from course_utils.data import load_photograph
from course_utils.interactives import ConvolutionStepper
from course_utils.plots import Grid, show_bars, show_grids, show_pictures
from course_utils.quiz import ask

_ = torch.manual_seed(0)

# %% [markdown]
# ## What a convolution computes
#
# To a computer an image is a grid of numbers. A **kernel** is a small grid of numbers, too. They
# are called its *weights*. Lay the kernel on the image. Multiply each pixel by the weight that lies
# on it, and add up the products. The sum is **one** number of the output.
#
# This image is dark on the left and bright on the right. The kernel has −1 on its left and 1 on its
# right.

# %%
scene = torch.tensor([[0, 0, 9, 9, 9]] * 4)
edge_kernel = torch.tensor([[-1, 0, 1]] * 3)

window = scene[:3, :3]
print("products:", (window * edge_kernel).tolist())
print("their sum:", (window * edge_kernel).sum().item())

# %% [markdown]
# Only the bright column counts, because the other pixels are 0. Now slide the kernel one step to
# the right, and multiply and add again. At the end of the row, go one row down. PyTorch does it all
# in one call:

# %%
edge_map = F.conv2d(scene[None, None].float(), edge_kernel[None, None].float())[0, 0]
show_grids(
    [
        Grid("image", (4, 5), {"window": ([0, 1, 2], [0, 1, 2])}, scene.tolist()),
        Grid("kernel", (3, 3), {}, edge_kernel.tolist()),
        Grid("output", (2, 3), {"window": ([0], [0])}, edge_map.int().tolist()),
    ],
    alt="A 4×5 image, two columns of 0 and three of 9; a 3×3 kernel with columns −1, 0 and 1; and "
    "the 2×3 output. In both of its rows stand 27, 27 and 0.",
)

# %% [markdown]
# The output is large where the image changes from dark to bright, and 0 where nothing changes. So
# this kernel finds **edges**. The output is called a *feature map*: it says where the feature is.
#
# The same nine weights on a photograph:

# %%
coffee = load_photograph("coffee").float().mean(dim=0) / 255
edges = F.conv2d(coffee[None, None], edge_kernel[None, None].float())[0]
show_pictures(
    {
        "photograph, in grey": coffee.expand(3, -1, -1),
        "its feature map": edges.abs().expand(3, -1, -1),
    },
    alt="A cup of coffee on a table from above, in grey, and its feature map: dark, with bright "
    "lines where the photograph has upright edges, such as the left and right sides of the saucer.",
    columns=2,
    inches=4,
)

# %% [markdown]
# **Think.** The upper and the lower side of the saucer are missing. Why?
#
# <details><summary>An answer</summary>
#
# The kernel compares the left with the right. At a level edge both are equally bright, so the
# products cancel. Turn the kernel by 90°, and it finds the level edges and misses the upright ones.
#
# </details>
#
# Nobody writes such kernels for a network. A network *learns* its weights. But in the first layer
# of a trained network many kernels look for edges, as this one does.

# %% [markdown]
# ### Through all channels
#
# A colour image has three channels, and a layer deep in a network may have hundreds. A filter has a
# slice for **each** channel. The products of all slices are added up to the same sum, and the
# filter's **bias** is added at the end, once. So one filter gives one feature map, however many
# channels come in.
#
# Step through it. Say what comes next before you press *Next product*.

# %%
two_channels = [
    [[1, 2, 0, 1], [0, 3, 1, 2], [2, 0, 1, 0], [1, 1, 0, 2]],
    [[0, 1, 1, 0], [2, 0, 0, 1], [1, 1, 2, 0], [0, 2, 1, 1]],
]
filter_weights = [[[1, 0], [0, -1]], [[0, 2], [1, 0]]]

stepper = ConvolutionStepper(two_channels, filter_weights, bias=1)
stepper

# %% [markdown]
# 1. How many products make one output number, and how many numbers has the output?
# 2. Which weights does the second output use?
# 3. What would change if the bias were 0?
#
# <details><summary>Answers</summary>
#
# 1. Two channels times 2×2 weights: 8 products. The output has 3×3 numbers.
# 2. The same as the first: a filter's weights are the same at every place.
# 3. Each number of the output would be less by 1.
#
# </details>
#
# PyTorch agrees with what you stepped through:

# %%
x, weight = torch.tensor([two_channels]), torch.tensor([filter_weights])
F.conv2d(x.float(), weight.float(), bias=torch.tensor([1.0]))[0, 0].int()

# %%
ask("products_of_one_output")

# %% [markdown]
# ## What convolution keeps, and what it saves
#
# The task is classification: colour images go in, each with a label, and a class comes out. It is
# often said that convolution and pooling **keep position** and **save parameters**. For convolution
# both are true. What is on the left of the image is on the left of the feature map, and few weights
# serve the whole image. For pooling we must be more careful. It gives up the exact position inside
# each window. It has no parameters itself, and saves some only in a dense layer that comes after
# it, because that layer then gets fewer numbers.
#
# Position first. Here is a dark image with one bright square. We move the square three rows down
# and four columns to the right, and convolve both images with the same random kernel.

# %%
image = torch.zeros(1, 1, 14, 14)
image[..., 3:6, 3:6] = 1
moved = torch.roll(image, shifts=(3, 4), dims=(2, 3))

kernel = torch.randn(1, 1, 3, 3)
map_of_image, map_of_moved = F.conv2d(image, kernel), F.conv2d(moved, kernel)
torch.allclose(map_of_moved, torch.roll(map_of_image, shifts=(3, 4), dims=(2, 3)))

# %% [markdown]
# The feature map moved by exactly as much as the image did: convolution is *equivariant* to
# translation (settled). There are conditions. The stride must be 1; with stride 4 it holds only for
# shifts by multiples of 4. And it fails at the border, where something leaves the image. A dense
# layer isn't equivariant at all: to it, an image is a flat list of numbers.
#
# Now the saving. AlexNet begins with 96 filters of 11×11 on a 227×227 colour image. What would a
# dense layer with as many outputs cost?

# %%
photograph = (3, 227, 227)
conv1 = trace(photograph, [Conv(96, kernel=11, stride=4)])[1]
dense = trace(photograph, [Dense(conv1.activations)])[1]

print(f"outputs of either layer: {conv1.activations:>15,}")
print(f"convolution, parameters: {conv1.parameters:>15,}")
print(f"dense layer, parameters: {dense.parameters:>15,}")
print(f"dense layer, gigabytes : {dense.parameters * 4 / 1e9:>15,.1f}")

# %% [markdown]
# Two ideas make the difference: each unit looks at a small window only (*local connections*), and
# all units of a map use the same weights (*shared weights*). Without the sharing, every output
# would own a kernel and a bias:

# %%
one_filter = conv1.parameters // 96
print(f"one filter has 11·11·3 weights and 1 bias: {one_filter}")
print(f"without sharing: {conv1.activations:,} × {one_filter} = {conv1.activations * one_filter:,}")
print(f"with sharing   : 96 × {one_filter} = {conv1.parameters:,}")

# %% [markdown]
# **Think.** Sharing weights is a bet on the data. What must be true of photographs for the bet to
# pay off, and for which images would you not take it?
#
# <details><summary>An answer</summary>
#
# An edge must be worth finding wherever it is. In centred passport photographs eyes are always
# near the top, and kernels that belong to a place could do well.
#
# </details>

# %% [markdown]
# ## A window slides
#
# Lay a window of width $k$ on an input of width $i$ and slide it one step at a time. Each place
# where it fits gives one output. Let us count them.

# %%
i, k = 7, 3
starts = [start for start in range(i) if start + k <= i]
print(f"the window can start at {starts}: {len(starts)} places")

# %%
row = trace((1, 7, 7), [Conv(1, kernel=3)])[1]
show_grids(
    [
        Grid("input 7×7", (7, 7), {"window": row.sees(1, 2)}),
        Grid("output 5×5", (5, 5), {"output": (range(5), range(5)), "window": ([1], [2])}),
    ],
    alt="A 7×7 input with a 3×3 window whose corner is in row 1, column 2; beside it the 5×5 "
    "output, where the unit in row 1, column 2 is marked: it is computed from that window.",
)

# %% [markdown]
# The last start is $i - k$, and we count from zero, so there are $i - k + 1$ places. Hold on to
# that **+ 1**: it is a fence-post, and forgetting it is the most common slip in this subject.
#
# The picture shows something else. The output is smaller than the input, and the corner pixel is
# seen by one window while a central one is seen by nine.

# %%
visits = torch.zeros(7, 7, dtype=torch.int)
for top in starts:
    for left in starts:
        visits[top : top + k, left : left + k] += 1
show_grids(
    [Grid("windows that see each pixel", (7, 7), numbers=visits.tolist())],
    alt="A 7×7 grid of counts: 1 in the corners, rising to 9 in the central 3×3 block.",
)

# %% [markdown]
# ## Padding
#
# Against the shrinking, put $p$ rings of zeros around the image. The window then slides over
# $i + 2p$ positions, and the size becomes $i + 2p - k + 1$.
#
# For an odd kernel, $p = (k-1)/2$ gives the input's size back. That choice is called *same*
# padding; no padding at all is called *valid*, because every number in a window is a real pixel.

# %%
for k in (1, 3, 5, 7):
    p = (k - 1) // 2
    same = output_size(32, k, padding=p)
    print(f"kernel {k}: 32 becomes {output_size(32, k)} (valid), or {same} with padding {p}")

# %%
row = trace((1, 5, 5), [Conv(1, kernel=3, padding=1)])[1]
show_grids(
    [
        Grid("input 5×5, padding 1", (5, 5), {"window": row.sees(0, 0)}, padding=1),
        Grid("output 5×5", (5, 5), {"output": (range(5), range(5)), "window": ([0], [0])}),
    ],
    alt="A 5×5 input inside one ring of zeros. The window of the output's corner unit covers five "
    "zeros of the padding and four pixels. The output is 5×5 as well.",
)

# %% [markdown]
# Padding has a side effect. Five of the nine numbers behind that corner unit are zeros that were
# never in the photograph, and a network can learn from them where the border is.

# %% [markdown]
# ## Strides, and AlexNet by hand
#
# With stride $s$ the window moves $s$ positions at a time. AlexNet's first layer, as on a
# whiteboard: input 227, kernel 11, stride 4, no padding. First *valid*, one step at a time:

# %%
print("valid, stride 1: 227 − 11 + 1 =", output_size(227, kernel=11))

# %% [markdown]
# The other 216 positions are steps away from the first, and we take every fourth:
# $216 / 4 = 54$ steps, **plus the one** where we stood at the beginning.

# %%
steps = (227 - 11) / 4
print(f"216 / 4 = {steps:.0f} steps, + 1 = {steps + 1:.0f}")
print("with 96 filters:", nn.Conv2d(3, 96, 11, stride=4)(torch.zeros(1, *photograph)).shape)

# %% [markdown]
# So the output is 55×55×96: torch agrees, channels first. In general, and for any padding,
#
# $$o = \frac{i + 2p - k}{s} + 1.$$
#
# Now do it yourself, without looking back. Practice questions like this one answer at once; try as
# often as you like.

# %%
ask("alexnet_conv1_width")

# %% [markdown]
# ### Why 224 fails
#
# The AlexNet paper says that its images are 224×224. Put 224 into the formula and listen to it
# complain (`exact=True` refuses a remainder).

# %%
print(f"(224 − 11) / 4 = {(224 - 11) / 4}")
try:
    output_size(224, kernel=11, stride=4, exact=True)
except ShapeError as error:
    print(error)

# %% [markdown]
# There is no quarter of a step. The window's last place ends one short of the edge, and the last
# column of every photograph would never be looked at:

# %%
last_start = 4 * 53
seen = range(last_start - 209, last_start + 11 - 209)
show_grids(
    [Grid("columns 209 to 223 of 224", (1, 15), {"window": ([0], seen), "left over": ([0], [14])})],
    alt="The last fifteen columns of a 224-pixel row. The last window covers columns 212 to 222; "
    "column 223, marked as left over, is in no window.",
)

# %% [markdown]
# And the output would be 54 wide, not the 55 that the paper's figure shows. Either the input is
# 227, or 224 is padded: torchvision's AlexNet uses padding 2, and rounds down.

# %%
print("224, no padding:", output_size(224, 11, stride=4))
print("227, no padding:", output_size(227, 11, stride=4))
print("224, padding 2 :", output_size(224, 11, stride=4, padding=2))

# %% [markdown]
# ## Three conventions for what doesn't fit
#
# What if the steps don't end at the edge? Three answers are in use.
#
# 1. **PyTorch** takes $\lfloor (i + 2p - k)/s \rfloor + 1$ and drops what is left over.
# 2. **Stanford's cs231n notes** call the setting invalid, a good habit in a design by hand.
# 3. **TensorFlow's SAME** asks for $\lceil i/s \rceil$ outputs and pads as much as that takes; an
#    odd zero goes to the *end*.


# %%
def three_conventions(i, k, s):
    pytorch = output_size(i, k, s)
    try:
        cs231n = output_size(i, k, s, exact=True)
    except ShapeError:
        cs231n = "invalid"
    before, after = same_padding(i, k, s)
    tensorflow = output_size(i + before + after, k, s)
    print(f"input {i}, kernel {k}, stride {s}: PyTorch {pytorch}, cs231n {cs231n}, ", end="")
    print(f"TensorFlow {tensorflow} ({before} zeros before, {after} after)")


# %%
three_conventions(227, 11, 4)
three_conventions(224, 11, 4)
three_conventions(224, 3, 2)
print("PyTorch, with padding=1:", output_size(224, kernel=3, stride=2, padding=1))

# %% [markdown]
# The last two lines matter when you carry weights from one library to the other. The sizes agree,
# but TensorFlow puts one zero *after* the image and PyTorch one on *both* sides, so PyTorch's
# windows all sit one pixel further up and left.
#
# PyTorch has a `padding="same"` too, but not for strides:

# %%
try:
    nn.Conv2d(3, 96, kernel_size=11, stride=4, padding="same")
except ValueError as error:
    print("PyTorch:", error)

# %% [markdown]
# ## Dilation
#
# In a *dilated* kernel neighbouring taps are $d$ positions apart, so $k$ taps reach over
# $d(k-1) + 1$ positions. Put that reach in the place of $k$, and the formula is complete:
#
# $$o = \left\lfloor \frac{i + 2p - d(k-1) - 1}{s} \right\rfloor + 1.$$

# %%
show_grids(
    [
        Grid(f"dilation {d}", (9, 9), {"window": (range(0, 2 * d + 1, d), range(0, 2 * d + 1, d))})
        for d in (1, 2, 4)
    ],
    alt="Three 9×9 inputs with the nine taps of a 3×3 kernel. At dilation 1 they form a 3×3 block, "
    "at dilation 2 they spread over 5×5, at dilation 4 over 9×9.",
)

# %% [markdown]
# A dilated kernel is a larger kernel with zeros between its weights. Let us build it and compare:

# %%
spread = torch.zeros(1, 1, 5, 5)
spread[..., ::2, ::2] = kernel
torch.allclose(F.conv2d(moved, kernel, dilation=2), F.conv2d(moved, spread), atol=1e-6)

# %% [markdown]
# Nine weights look as far as twenty-five would, but see nothing in between.

# %%
ask("same_padding")

# %% [markdown]
# ## Play
#
# Everything so far in one picture. Drag the sliders, or drag the window itself (the arrow keys
# move it too). If you see an error instead of a picture, run the cell again.
#
# 1. *Keep the size*: find two more kernels, with their padding, that leave 8×8 at 8×8.
# 2. *Left over*: which two strides make the hatched strip disappear, and why only those?
# 3. *Impossible*: mend it by changing one slider. There are four ways.
# 4. What changes the multiply-adds but not the parameters?
#
# <details><summary>Answers</summary>
#
# 1. Each odd kernel with a padding of (kernel − 1) / 2, for instance 1×1 with 0 and 5×5 with 2.
# 2. A stride that divides what is left when the kernel lies at the start: the padded size minus the
#    kernel's reach. Then the last window ends exactly at the border.
# 3. Larger input, smaller kernel, more padding, or smaller dilation: the kernel must fit.
# 4. All that changes the size of the output: input size, padding, stride, dilation.
#
# </details>

# %%
from course_utils.interactives import ConvolutionExplorer

explorer = ConvolutionExplorer(size=7, kernel=3, padding=1)
explorer

# %% [markdown]
# Python can read the settings. Change something above and run this cell again:

# %%
explored = trace((explorer.channels, explorer.size, explorer.size), [explorer.conv])
print(table(explored))

# %% [markdown]
# With $C$ input channels and $F$ filters there are $F(k^2 C + 1)$ **parameters**: each filter
# reaches through *all* channels and has one bias. **Multiply-adds** are the weights times the
# places where they are used, so unlike parameters they grow with the image. ("FLOPs" in papers are
# sometimes multiply-adds and sometimes twice as many; ask which.)

# %%
ask("conv_parameters")

# %% [markdown]
# ## Max pooling
#
# Max pooling slides a window too, and keeps the largest number in it. The size follows the same
# formula. There is nothing to learn, so there are **no parameters**.

# %%
numbers = torch.tensor([[1, 3, 2, 0], [4, 2, 1, 5], [0, 1, 9, 2], [7, 0, 3, 8]])
pooled = F.max_pool2d(numbers[None, None].float(), kernel_size=2)[0, 0].int()
show_grids(
    [
        Grid("4×4", (4, 4), {"window": (range(2), range(2))}, numbers=numbers.tolist()),
        Grid("after 2×2 max pool", (2, 2), {"window": ([0], [0])}, numbers=pooled.tolist()),
    ],
    alt="A 4×4 grid of numbers, rows 1 3 2 0, 4 2 1 5, 0 1 9 2 and 7 0 3 8, and its 2×2 max pool: "
    "4 and 5 above, 7 and 9 below. The first window is marked; its largest number is 4.",
)

# %% [markdown]
# A quarter of the numbers is left. AlexNet pools with a 3×3 window and stride 2, so neighbouring
# windows overlap:

# %%
print(table(trace(photograph, [Conv(96, 11, stride=4), Pool(3, stride=2)])))

# %% [markdown]
# **Think.** After the pool we know that there was a 4 in the first window, but not where. What is
# gained by forgetting, and when would it hurt?
#
# <details><summary>An answer</summary>
#
# A small shift often leaves the maximum unchanged, so the output is *a little* invariant to
# translation. How little in a whole network is *contested* (Azulay and Weiss, 2018; Zhang, 2019);
# lecture 4 measures it. Forgetting hurts where the place is the answer: keypoints, masks, boxes.
#
# </details>

# %% [markdown]
# ## Receptive field
#
# The column *sees* in that table is the **receptive field**: the input positions that one output
# unit depends on. For a first 3×3 convolution they are 3×3; for a second one on top of it, they
# are all that a 3×3 block of units sees.

# %%
rows = trace((1, 9, 9), [Conv(1, 3), Conv(1, 3)])
show_grids(
    [
        Grid("input: 5×5 is seen", (9, 9), {"window": rows[2].sees(2, 2)}),
        Grid("after one 3×3", (7, 7), {"window": rows[1].sees(2, 2)}),
        Grid("after two: a 5×5 map", (5, 5), {"window": ([2], [2])}),
    ],
    alt="Three maps. The central unit of the 5×5 output depends on a 3×3 block of the 7×7 map "
    "before it, and that block on a 5×5 block of the 9×9 input.",
)

# %% [markdown]
# We needn't trust the drawing: a unit depends on a pixel if its derivative there isn't zero. With
# all weights set to one, the derivative even counts the *paths* from pixel to unit.

# %%
pixels = torch.ones(1, 1, 9, 9, requires_grad=True)
ones = torch.ones(1, 1, 3, 3)
output = F.conv2d(F.conv2d(pixels, ones), ones)
output[0, 0, 2, 2].backward()
paths = pixels.grad[0, 0].int()
print("seen:", (paths.sum(0) > 0).sum().item(), "columns of", paths.shape[1])

# %%
show_grids(
    [Grid("paths to the central unit", (9, 9), {"window": rows[2].sees(2, 2)}, paths.tolist())],
    alt="The 9×9 input with the number of paths from each pixel to the central output unit: zero "
    "outside the central 5×5 block; inside it 1 in the corners, rising to 9 in the middle.",
)

# %% [markdown]
# The central pixel has nine paths, a corner only one. So the middle of the receptive field counts
# most. The part that matters in practice is called the *effective* receptive field, and it is
# smaller than the whole one (Luo and others, 2016). At the start of training that is settled. How
# far training widens it depends on the network.
#
# Here is the rule. Each layer adds $d(k-1)$ steps. A step is worth as many pixels as the product of
# all strides before that layer:
#
# $$r = 1 + \sum_l d_l\,(k_l - 1) \prod_{m<l} s_m.$$
#
# So a stride or a pool widens the view of every layer after it.

# %%
flat = trace((3, 64, 64), [Conv(8, 3), Conv(8, 3), Conv(8, 3)])
pooling = trace((3, 64, 64), [Conv(8, 3), Pool(2), Conv(8, 3), Pool(2), Conv(8, 3)])
print("three 3×3           :", flat[-1].receptive_field)
print("with pools between  :", pooling[-1].receptive_field)
print("two units are apart :", flat[-1].jump, "and", pooling[-1].jump, "pixels")

# %%
ask("stacked_field")

# %% [markdown]
# ## Why is 3×3 good enough?
#
# A stack of small kernels sees as much as one large kernel. Compare the cost, with $C = 64$
# channels in and out and no biases:


# %%
def stack(depth, kernel, channels=64):
    layer = Conv(channels, kernel, padding=kernel // 2, bias=False)
    rows = trace((channels, 56, 56), [layer] * depth)[1:]
    weights = sum(row.parameters for row in rows)
    return rows[-1].receptive_field[0], weights, sum(row.activations for row in rows)


# %%
stacks = {"one 5×5": (1, 5), "two 3×3": (2, 3), "one 7×7": (1, 7), "three 3×3": (3, 3)}
for name, setting in stacks.items():
    sees, weights, activations = stack(*setting)
    print(
        f"{name:9}: sees {sees}×{sees}, {weights:,} = {weights // 64**2} C² weights, "
        f"{activations:,} activations"
    )

# %%
show_bars(
    {
        "weights": {name: stack(*setting)[1] for name, setting in stacks.items()},
        "activations to store": {name: stack(*setting)[2] for name, setting in stacks.items()},
    },
    alt="Two bar charts. Weights: one 5×5 102,400, two 3×3 73,728, one 7×7 200,704, three 3×3 "
    "110,592. Activations: 200,704 for one layer, twice and three times that for the stacks.",
)

# %% [markdown]
# The stack has **fewer weights** ($18C^2$ against $25C^2$, $27C^2$ against $49C^2$) and room for a
# non-linearity after each layer. But it **stores more activations**, and training must keep them
# until the backward pass (settled, and often left out). In networks without large dense layers they
# mostly fill the memory first (*rule of thumb*; lecture 3 calculates it).
#
# Why not smaller still? A 1×1 kernel sees no neighbours; a 2×2 kernel has no centre, and shifts
# the map by half a pixel. 3×3 is the smallest with left, right, above, below and middle.
#
# That 3×3 is *best* is a **rule of thumb** (VGG, 2014) and by now **contested**: ConvNeXt (2022)
# does well with 7×7, where each channel has a kernel of its own and size is cheap.

# %%
dense_kernel = trace((64, 56, 56), [Conv(64, 7, padding=3, bias=False)])[1]
depthwise = trace((64, 56, 56), [Conv(64, 7, padding=3, groups=64, bias=False)])[1]
print(f"7×7 over all channels: {dense_kernel.parameters:,} weights")
print(f"7×7 on each channel  : {depthwise.parameters:,} weights")

# %% [markdown]
# ## Depth or channels? 3×3×3 over 128×128×5
#
# A scanner gives you five slices of 128×128. Are they the *channels* of an image, or the third
# *axis* of a volume?
#
# - **2-D convolution**: a 3×3 kernel reaches through all five slices at once.
# - **3-D convolution**: a 3×3×3 kernel slides along the slices too. (Not a *transposed*
#   convolution: that is another layer, whose output is usually larger than its input.)

# %%
as_channels = trace((5, 128, 128), [Conv(1, 3)])[1]
as_depth = trace((1, 128, 128, 5), [Conv(1, (3, 3, 3))])[1]
for name, row in {"2-D": as_channels, "3-D": as_depth}.items():
    size = "×".join(map(str, row.shape[1:]))
    print(f"{name}: output {size}, {row.parameters} parameters, {row.macs:,} multiply-adds")

# %% [markdown]
# Torch as a witness; its order is (batch, channels, depth, height, width).

# %%
volume = torch.zeros(1, 1, 5, 128, 128)
print("2-D, slices as channels:", tuple(nn.Conv2d(5, 1, 3)(volume[:, 0]).shape))
print("3-D                    :", tuple(nn.Conv3d(1, 1, 3)(volume).shape))
print("3-D transposed         :", tuple(nn.ConvTranspose3d(1, 1, 3)(volume).shape))

# %% [markdown]
# The 3-D kernel has *fewer* parameters ($3^3 + 1$ against $5 \cdot 3^2 + 1$), because it shares
# weights along the third axis as well, and does *more* work, because it is used in three places
# there. Choose by the data: share along depth if a pattern may appear at any depth (a vessel in a
# scan); don't if slice 1 means something else than slice 2 (red and green, say).
#
# **Think.** With a 5-slice input and a 3×3×5 kernel, how do the two layers differ?
#
# <details><summary>An answer</summary>
#
# They don't: along depth the kernel fits in one place only. A 2-D convolution over channels *is* a
# 3-D one with a full-depth kernel.
#
# </details>

# %% [markdown]
# ## Code it yourself
#
# Replace the three dots, and run both cells. Nothing is recorded.
#
# **1.** Which padding on each side keeps the size, for an odd kernel with stride 1?


# %%
def padding_that_keeps(kernel):
    """The padding on each side with which an odd kernel keeps the size; a whole number."""
    return ...  # your code here


# %%
got = [padding_that_keeps(kernel) for kernel in (1, 3, 5, 11)]
print("right" if got == [0, 1, 2, 5] else f"not yet: for 1, 3, 5 and 11 you say {got}")

# %% [markdown]
# <details><summary>A solution</summary>
#
# ```python
# def padding_that_keeps(kernel):
#     return (kernel - 1) // 2
# ```
#
# </details>

# %% [markdown]
# **2.** A 2×2 pool with stride 2 halves the side, rounded down. How many of them does it take until
# the side is at most `last`?


# %%
def pools_until(side, last):
    """How many 2×2 pools it takes until a map of this side is no larger than `last`."""
    return ...  # your code here


# %%
got = [pools_until(224, 7), pools_until(227, 13), pools_until(5, 8)]
print("right" if got == [5, 5, 0] else f"not yet: expected [5, 5, 0], got {got}")

# %% [markdown]
# <details><summary>A solution</summary>
#
# ```python
# def pools_until(side, last):
#     pools = 0
#     while side > last:
#         side, pools = side // 2, pools + 1
#     return pools
# ```
#
# </details>

# %% [markdown]
# ## Summary
#
# | question | answer |
# |---|---|
# | output size | $o = \lfloor (i + 2p - d(k-1) - 1)/s \rfloor + 1$ (PyTorch) |
# | a remainder? | PyTorch drops it, cs231n refuses, TensorFlow SAME pads to $\lceil i/s \rceil$ |
# | parameters | $F(k^2 C + 1)$; pooling has none |
# | multiply-adds | $o^2 \cdot F k^2 C$ |
# | receptive field | $r = 1 + \sum_l d_l (k_l - 1) \prod_{m<l} s_m$ |
# | AlexNet's first layer | 227 → (227 − 11)/4 + 1 = 55 → 55×55×96 |
#
# **Key points**
#
# - Count the steps, then add the place where you started.
# - Weights are shared: multiply-adds grow with the image, parameters don't.
# - Small kernels in a stack: fewer weights, more non-linearities, more activations to store.
# - Before you carry weights between libraries, check how each one rounds and pads.
#
# **Now you:** in `ps2_conv_arithmetic` you write `output_size` and its friends yourself. It comes
# with the exercises.
#
# ### Sources
#
# - V. Dumoulin and F. Visin, *A guide to convolution arithmetic for deep learning*, 2016.
# - A. Krizhevsky, I. Sutskever and G. Hinton, *ImageNet classification with deep convolutional
#   neural networks*, 2012: AlexNet.
# - Stanford CS231n, *Convolutional networks* (course notes): 227 and 224, stacks of 3×3.
# - A. Araujo, W. Norris and J. Sim, *Computing receptive fields of convolutional neural
#   networks*, 2019.
# - W. Luo, Y. Li, R. Urtasun and R. Zemel, *Understanding the effective receptive field in deep
#   convolutional neural networks*, 2016.
# - K. Simonyan and A. Zisserman, *Very deep convolutional networks for large-scale image
#   recognition*, 2014.
# - A. Azulay and Y. Weiss, *Why do deep convolutional networks generalize so poorly to small image
#   transformations?*, 2018; R. Zhang, *Making convolutional networks shift-invariant again*, 2019.
# - Z. Liu and others, *A ConvNet for the 2020s*, 2022: ConvNeXt.
