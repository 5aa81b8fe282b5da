"""A torch model with weights rounded to 8 bits, in the form that onnxruntime multiplies quickly.

A weight becomes a whole number from -127 to 127, times a scale for each _BLOCK of them. In a
product onnxruntime rounds the other side too, block by block and each row by itself: so a text's
vector does not depend on the texts beside it, as it would with one scale for a whole batch.
"""

from typing import Any, Final

import torch

# Weights that share a scale. Fewer take longer, more move vectors farther; what comes of it
# scripts/bench/embedding.py measures, run it before changing this.
_BLOCK: Final = 64
_BITS: Final = 8
_ZERO: Final = 128  # of the codes, which have no sign
_ROUNDS_BOTH_SIDES: Final = 4  # `accuracy_level` of onnxruntime's MatMulNBits


def round_weights(model: torch.nn.Module) -> torch.nn.Module:
    """The model itself, each of its linear layers with rounded weights; to be exported to ONNX."""
    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, torch.nn.Linear):
                setattr(module, name, _RoundedLinear(child))
    return model


class _RoundedLinear(torch.nn.Module):
    def __init__(self, linear: torch.nn.Linear) -> None:
        super().__init__()
        outputs = linear.out_features
        blocks = linear.weight.detach().reshape(outputs, -1, _BLOCK)
        self.scales = blocks.abs().amax(2) / 127
        self.codes = (torch.round(blocks / self.scales[:, :, None]) + _ZERO).to(torch.uint8)
        self.bias = linear.bias

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        product: torch.Tensor = _Product.apply(  # type: ignore[no-untyped-call]
            rows, self.codes, self.scales
        )
        return product + self.bias


class _Product(torch.autograd.Function):
    """Rows (..., K) times weights in codes (N, blocks, _BLOCK) and scales (N, blocks)."""

    @staticmethod
    def forward(_: Any, rows: torch.Tensor, codes: torch.Tensor, scales: torch.Tensor) -> Any:
        return rows @ ((codes.float() - _ZERO) * scales[:, :, None]).flatten(1).T

    @staticmethod
    def symbolic(graph: Any, rows: Any, codes: Any, scales: Any) -> Any:
        outputs, blocks, block = codes.type().sizes()
        return graph.op(
            "com.microsoft::MatMulNBits",
            *(rows, codes, scales),
            K_i=blocks * block,
            N_i=outputs,
            bits_i=_BITS,
            block_size_i=block,
            accuracy_level_i=_ROUNDS_BOTH_SIDES,
        )
