"""One convolution as data: its shapes, its parameters, and what follows from them.

"Convolution" means cross-correlation everywhere in this project, as in every deep-learning
framework: the filter is not flipped.

    output[n, o, y, x] = Σ over c, i, j of
        x[n, c, y·stride_h + i·dilation_h - padding_h, x·stride_w + j·dilation_w - padding_w]
        · weights[o, c, i, j]

where x is zero outside its bounds and c runs over the channels of o's group.
"""

import operator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from convbench.errors import BadProblem

Array = npt.NDArray[Any]
Pair = int | tuple[int, int]

DTYPES = ("float32", "float64")
LAYOUTS = ("NCHW", "NHWC")
_SIZES = (
    *("batch", "in_channels", "height", "width"),
    *("out_channels", "kernel_height", "kernel_width", "groups"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvProblem:
    """Shapes and parameters of one 2-D convolution; a value that exists is valid.

    ``stride``, ``padding`` and ``dilation`` accept one integer for both axes and are stored as
    (vertical, horizontal) pairs. A dilation of 1 is a dense filter. A batch may be empty.
    """

    batch: int = 1
    in_channels: int
    height: int
    width: int
    out_channels: int
    kernel_height: int
    kernel_width: int
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    dtype: str = "float32"
    layout: str = "NCHW"

    def __post_init__(self) -> None:
        for name in _SIZES:
            # No image at all is a batch too; a convolution without a channel is none.
            least = 0 if name == "batch" else 1
            _normalise(self, name, _integer(name, getattr(self, name), least=least))
        for name, least in (("stride", 1), ("padding", 0), ("dilation", 1)):
            _normalise(self, name, _pair(name, getattr(self, name), least=least))
        _require_choice("dtype", self.dtype, DTYPES)
        _require_choice("layout", self.layout, LAYOUTS)
        if self.in_channels % self.groups or self.out_channels % self.groups:
            raise BadProblem(
                f"groups must divide both channel counts; got groups={self.groups} "
                f"for {self.in_channels} -> {self.out_channels} channels"
            )
        if self.out_height < 1 or self.out_width < 1:
            (padded_height, padded_width), (span_height, span_width) = self.padded, self.span
            raise BadProblem(
                f"the filter must fit into the padded input; got a filter that spans "
                f"{span_height}x{span_width} (with dilation) over a padded input of "
                f"{padded_height}x{padded_width}"
            )

    @classmethod
    def of(
        cls,
        x: Array,
        weights: Array,
        *,
        stride: Pair = 1,
        padding: Pair = 0,
        dilation: Pair = 1,
        groups: int = 1,
        layout: str = "NCHW",
    ) -> Self:
        """Describe the convolution of these operands.

        Parameters
        ----------
        x : array, shape (N, C, H, W), or (N, H, W, C) in layout NHWC
        weights : array, shape (O, C/groups, KH, KW), or (O, KH, KW, C/groups) in layout NHWC
        stride, padding, dilation : int or (vertical, horizontal)
        groups : int
        layout : "NCHW" or "NHWC"

        Raises
        ------
        BadProblem
            When the operands and parameters make no convolution; also a ValueError.
        """
        _require_choice("layout", layout, LAYOUTS)
        dtype = _common_dtype(x, weights, layout)
        batch, in_channels, height, width = _to_nchw(x.shape, layout)
        out_channels, group_channels, kernel_height, kernel_width = _to_nchw(weights.shape, layout)
        groups = _integer("groups", groups, least=1)
        if group_channels * groups != in_channels:
            raise BadProblem(
                f"weights must hold in_channels/groups channels; got {group_channels} in weights "
                f"of shape {weights.shape} for {in_channels} input channels in {groups} groups "
                f"(layout {layout})"
            )
        return cls(
            batch=batch,
            in_channels=in_channels,
            height=height,
            width=width,
            out_channels=out_channels,
            kernel_height=kernel_height,
            kernel_width=kernel_width,
            stride=_pair("stride", stride, least=1),
            padding=_pair("padding", padding, least=0),
            dilation=_pair("dilation", dilation, least=1),
            groups=groups,
            dtype=dtype,
            layout=layout,
        )

    @property
    def padded(self) -> tuple[int, int]:
        """Height and width of the input with its zero border."""
        return self.height + 2 * self.padding[0], self.width + 2 * self.padding[1]

    @property
    def span(self) -> tuple[int, int]:
        """Height and width that a filter covers, dilation included."""
        return (
            (self.kernel_height - 1) * self.dilation[0] + 1,
            (self.kernel_width - 1) * self.dilation[1] + 1,
        )

    @property
    def out_height(self) -> int:
        """Rows of the output."""
        covered = (self.kernel_height - 1) * self.dilation[0] + 1
        return (self.height + 2 * self.padding[0] - covered) // self.stride[0] + 1

    @property
    def out_width(self) -> int:
        """Columns of the output."""
        covered = (self.kernel_width - 1) * self.dilation[1] + 1
        return (self.width + 2 * self.padding[1] - covered) // self.stride[1] + 1

    @property
    def input_shape(self) -> tuple[int, int, int, int]:
        """Shape of x in the problem's layout."""
        return _from_nchw((self.batch, self.in_channels, self.height, self.width), self.layout)

    @property
    def weights_shape(self) -> tuple[int, int, int, int]:
        """Shape of the filters in the problem's layout."""
        group_channels = self.in_channels // self.groups
        return _from_nchw(
            (self.out_channels, group_channels, self.kernel_height, self.kernel_width),
            self.layout,
        )

    @property
    def output_shape(self) -> tuple[int, int, int, int]:
        """Shape of the output in the problem's layout."""
        return _from_nchw(
            (self.batch, self.out_channels, self.out_height, self.out_width), self.layout
        )

    @property
    def taps(self) -> int:
        """Products summed in one element of the output."""
        return self.in_channels // self.groups * self.kernel_height * self.kernel_width

    @property
    def macs(self) -> int:
        """Multiply-adds of the direct algorithm, those with the zero border included."""
        return self.batch * self.out_channels * self.out_height * self.out_width * self.taps

    @property
    def flops(self) -> int:
        """Operations of the direct algorithm; a multiply-add counts as two."""
        return 2 * self.macs

    @property
    def itemsize(self) -> int:
        """Bytes of one number."""
        return 4 if self.dtype == "float32" else 8

    @property
    def bytes(self) -> int:
        """Compulsory traffic: x and weights read once, the output written once."""
        inputs = self.batch * self.in_channels * self.height * self.width
        outputs = self.batch * self.out_channels * self.out_height * self.out_width
        return (inputs + self.out_channels * self.taps + outputs) * self.itemsize

    @property
    def arithmetic_intensity(self) -> float:
        """Operations per byte of compulsory traffic."""
        return self.flops / self.bytes

    def random_operands(self, seed: int = 0) -> tuple[Array, Array]:
        """Draw x and weights from a standard normal distribution.

        One seed gives the same numbers in every layout, and in float32 those of float64 rounded.
        """
        rng = np.random.default_rng(seed)
        group_channels = self.in_channels // self.groups
        x = rng.standard_normal((self.batch, self.in_channels, self.height, self.width))
        weights = rng.standard_normal(
            (self.out_channels, group_channels, self.kernel_height, self.kernel_width)
        )
        if self.layout == "NHWC":
            x, weights = x.transpose(0, 2, 3, 1), weights.transpose(0, 2, 3, 1)
        return x.astype(self.dtype, order="C"), weights.astype(self.dtype, order="C")


def _to_nchw(shape: tuple[int, ...], layout: str) -> tuple[int, int, int, int]:
    first, *middle, last = shape
    a, b = middle
    return (first, a, b, last) if layout == "NCHW" else (first, last, a, b)


def _from_nchw(shape: tuple[int, int, int, int], layout: str) -> tuple[int, int, int, int]:
    first, channels, height, width = shape
    return shape if layout == "NCHW" else (first, height, width, channels)


def _normalise(problem: ConvProblem, name: str, value: object) -> None:
    object.__setattr__(problem, name, value)  # frozen: the one place that may still write


def _integer(name: str, value: object, *, least: int) -> int:
    try:
        if isinstance(value, bool | np.bool):
            raise TypeError
        number = operator.index(value)  # type: ignore[arg-type]  # that is the question asked
    except TypeError:
        raise BadProblem(f"{name} must be an integer of at least {least}; got {value!r}") from None
    if number < least:
        raise BadProblem(f"{name} must be at least {least}; got {number}")
    return number


def _pair(name: str, value: object, *, least: int) -> tuple[int, int]:
    if not isinstance(value, tuple | list):
        both = _integer(name, value, least=least)
        return both, both
    if len(value) != 2:
        raise BadProblem(f"{name} must be an integer or a (height, width) pair; got {value!r}")
    return _integer(name, value[0], least=least), _integer(name, value[1], least=least)


def _require_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise BadProblem(f"{name} must be one of {', '.join(choices)}; got {value!r}")


def _common_dtype(x: Array, weights: Array, layout: str) -> str:
    axes = {
        "x": "(N, C, H, W)" if layout == "NCHW" else "(N, H, W, C)",
        "weights": "(O, C/groups, KH, KW)" if layout == "NCHW" else "(O, KH, KW, C/groups)",
    }
    for name, operand in (("x", x), ("weights", weights)):
        if not isinstance(operand, np.ndarray):
            raise BadProblem(f"{name} must be a NumPy array; got {type(operand).__name__}")
        if operand.ndim != 4:
            raise BadProblem(
                f"{name} must have 4 dimensions, {axes[name]} in layout {layout}; "
                f"got shape {operand.shape}"
            )
        # Comparing dtypes, not their names: big-endian float32 has the same name.
        if operand.dtype not in (np.dtype(np.float32), np.dtype(np.float64)):
            raise BadProblem(
                f"{name} must be float32 or float64 in native byte order; got {operand.dtype}, "
                f'convert it: {name}.astype("float32")'
            )
    if x.dtype != weights.dtype:
        raise BadProblem(
            f"x and weights must have one dtype; got {x.dtype} and {weights.dtype}, "
            f"convert one: weights.astype(x.dtype)"
        )
    return str(x.dtype)
