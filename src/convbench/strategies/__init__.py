"""Every strategy by its permanent name; a new one is one file and one row here."""

from collections.abc import Mapping
from types import MappingProxyType

from convbench.errors import UnknownStrategy
from convbench.strategies import (
    auto,
    einsum,
    fft,
    fft_tiled,
    grouped_matmul,
    im2col,
    im2col_blocked,
    im2col_rows,
    implicit_gemm,
    index_gather,
    kn2row,
    loops,
    loops_dot,
    loops_python,
    matmul_windows,
    mec,
    ndimage_correlate,
    numba_depthwise,
    numba_direct,
    numba_loops,
    numba_nhwc,
    numba_parallel,
    numba_stencil,
    peer_onnxruntime,
    peer_opencv,
    peer_openvino,
    peer_torch,
    pointwise,
    scipy_correlate2d,
    scipy_signal,
    separable,
    shifted,
    sparse_toeplitz,
    tensordot,
    toeplitz,
    winograd,
)
from convbench.strategies._strategy import Strategy

__all__ = ["STRATEGIES", "Strategy", "get_strategy"]

# Literal names: the benchmarks' axes are read from this text, without importing it.
_OWN: Mapping[str, Strategy] = {
    "loops": loops.STRATEGY,
    "loops_dot": loops_dot.STRATEGY,
    "scipy_correlate2d": scipy_correlate2d.STRATEGY,
    "shifted": shifted.STRATEGY,
    "einsum": einsum.STRATEGY,
    "tensordot": tensordot.STRATEGY,
    "im2col": im2col.STRATEGY,
    "fft": fft.STRATEGY,
    "numba_direct": numba_direct.STRATEGY,
    "toeplitz": toeplitz.STRATEGY,
    "fft_numpy": fft.NUMPY,
    "fft_mkl": fft.MKL,
    "fft_tiled": fft_tiled.STRATEGY,
    "fftconvolve": scipy_signal.FFTCONVOLVE,
    "oaconvolve": scipy_signal.OACONVOLVE,
    "scipy_convolve_auto": scipy_signal.CONVOLVE_AUTO,
    "ndimage_correlate": ndimage_correlate.STRATEGY,
    "separable": separable.STRATEGY,
    "numba_loops": numba_loops.STRATEGY,
    "numba_stencil": numba_stencil.STRATEGY,
    "numba_parallel": numba_parallel.STRATEGY,
    "winograd_f2x3": winograd.F2X3,
    "winograd_f4x3": winograd.F4X3,
    "winograd_f6x3": winograd.F6X3,
    "winograd_f4x5": winograd.F4X5,
    "winograd_strided": winograd.STRIDED,
    "loops_python": loops_python.STRATEGY,
    "einsum_optimized": einsum.OPTIMIZED,
    "matmul_windows": matmul_windows.STRATEGY,
    "im2col_rows": im2col_rows.STRATEGY,
    "im2col_blocked": im2col_blocked.STRATEGY,
    "index_gather": index_gather.STRATEGY,
    "kn2row": kn2row.STRATEGY,
    "mec": mec.STRATEGY,
    "pointwise": pointwise.STRATEGY,
    "sparse_toeplitz": sparse_toeplitz.STRATEGY,
    "grouped_matmul": grouped_matmul.STRATEGY,
    "numba_nhwc": numba_nhwc.STRATEGY,
    "implicit_gemm": implicit_gemm.STRATEGY,
    "numba_depthwise": numba_depthwise.STRATEGY,
    "auto": auto.STRATEGY,
}

# Libraries to compare with: optional, imported when asked for, measured by `convbench peers` alone.
_PEERS: Mapping[str, Strategy] = {
    "torch": peer_torch.TORCH,
    "torch_channels_last": peer_torch.CHANNELS_LAST,
    "onnxruntime": peer_onnxruntime.STRATEGY,
    "openvino": peer_openvino.STRATEGY,
    "opencv": peer_opencv.STRATEGY,
}

STRATEGIES: Mapping[str, Strategy] = MappingProxyType({**_OWN, **_PEERS})


def get_strategy(name: str) -> Strategy:
    """Look up a strategy by its permanent name.

    Parameters
    ----------
    name : str
        One of the keys of `STRATEGIES`.

    Returns
    -------
    Strategy
        The strategy of that name.

    Raises
    ------
    UnknownStrategy
        There is none; the message lists the names.
    """
    try:
        return STRATEGIES[name]
    except KeyError:
        raise UnknownStrategy(
            f"unknown strategy {name!r}; choose one of: {', '.join(STRATEGIES)}"
        ) from None
